// The loader (docs/widget.md): reads its own attributes, imports the modules beside it, keeps the calls made before.
(() => {
  const script = document.currentScript;
  if (!script || window.Parley) return;
  const calls = [];
  const names = ["open", "close", "toggle", "setLocale", "setTheme", "send", "destroy", "on"];
  window.Parley = Object.fromEntries(names.map((name) => [name, (...args) => void calls.push([name, args])]));
  const options = { ...script.dataset, origin: new URL(script.src).origin };
  const start = () =>
    import(new URL("./widget/main.js", script.src).href).then(({ mount }) => {
      window.Parley = mount(options);
      for (const [name, args] of calls) window.Parley?.[name](...args);
    });
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
})();
