"""Who may read what was masked. Pure: who somebody is has been found out before, and whether anything was kept is not known here."""

from dataclasses import dataclass

from schemas.base import ConversationId, CustomerId, TenantId


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a masked value is: the customer who wrote it, in the conversation in which it was written."""

    tenant: TenantId
    customer_id: CustomerId
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class CustomerRight:
    """A customer's own, by the token of their conversation: to what they wrote in it, and to nothing else."""

    owner: Owner

    def covers(self, owner: Owner) -> bool:
        return self.owner == owner


@dataclass(frozen=True, slots=True)
class HumanAgentRight:
    """A human agent's, within one tenant. `may_reveal` is what their role says; without it they see placeholders."""

    tenant: TenantId
    human_agent_id: str
    may_reveal: bool

    def covers(self, owner: Owner) -> bool:
        return self.may_reveal and self.tenant == owner.tenant


@dataclass(frozen=True, slots=True)
class OperatorRight:
    """An operator's, within one tenant, for one export. Without a reason, which the audit log keeps, there is none."""

    tenant: TenantId
    operator: str
    reason: str

    def covers(self, owner: Owner) -> bool:
        return bool(self.reason.strip()) and self.tenant == owner.tenant


Right = CustomerRight | HumanAgentRight | OperatorRight
"""There is none for language models, data sets or logs, and none for an export that nobody answers for."""
