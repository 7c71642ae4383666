"""What runs the platform: real servers for development, migrations, images, generated contracts."""
