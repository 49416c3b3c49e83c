"""What happens at Clerk, told as its webhooks and its Backend API tell it, with a clock of its own."""

import base64
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

START_MS = 1_780_000_000_000
"""Clerk's clock at the start, milliseconds."""


def sign(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """A signature as Svix makes it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.digest(key, f"{delivery_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(made).decode()}"


@dataclass
class ClerkWorld:
    """Users, organizations and memberships as they are at Clerk, and every event that led there."""

    now_ms: int = START_MS
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    organizations: dict[str, dict[str, Any]] = field(default_factory=dict)
    memberships: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0

    def _tick(self) -> int:
        self.now_ms += 1000
        return self.now_ms

    def _tell(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        event = {
            "type": kind, "object": "event", "instance_id": "ins_1", "timestamp": self.now_ms,
            "data": json.loads(json.dumps(data)), "event_attributes": {"http_request": {"client_ip": "192.0.2.1"}},
        }  # fmt: skip
        self.events.append(event)
        return event

    def add_user(self, user_id: str, address: str | None = None, name: str = "Ada Lovelace") -> dict[str, Any]:
        """Somebody signs up."""
        at, (first, _, last) = self._tick(), name.partition(" ")
        self.users[user_id] = {
            "id": user_id, "object": "user", "first_name": first, "last_name": last or None, "banned": False,
            "created_at": at, "updated_at": at, "primary_email_address_id": "idn_1",
            "email_addresses": [
                {"id": "idn_0", "email_address": "old@example.org", "verification": {"status": "verified"}},
                {"id": "idn_1", "email_address": address or f"{user_id}@Example.org",
                 "verification": {"status": "verified"}},
            ],
        }  # fmt: skip
        return self._tell("user.created", self.users[user_id])

    def change_user(self, user_id: str, **changes: Any) -> dict[str, Any]:
        """Their profile changes, or they are banned."""
        self.users[user_id] |= {**changes, "updated_at": self._tick()}
        return self._tell("user.updated", self.users[user_id])

    def delete_user(self, user_id: str) -> dict[str, Any]:
        """They are deleted; Clerk ends their memberships without a word of each."""
        self._tick()
        del self.users[user_id]
        self.memberships = {
            key: each for key, each in self.memberships.items() if each["public_user_data"]["user_id"] != user_id
        }
        return self._tell("user.deleted", {"id": user_id, "object": "user", "deleted": True})

    def add_organization(self, organization_id: str, created_by: str, name: str = "Acme") -> dict[str, Any]:
        """An organization is made, and its maker is its administrator."""
        at = self._tick()
        self.organizations[organization_id] = {
            "id": organization_id, "object": "organization", "name": name, "slug": name.lower(),
            "created_by": created_by, "created_at": at, "updated_at": at,
        }  # fmt: skip
        event = self._tell("organization.created", self.organizations[organization_id])
        self.join(organization_id, created_by, "org:admin")
        return event

    def change_organization(self, organization_id: str, name: str) -> dict[str, Any]:
        """It gets another name."""
        self.organizations[organization_id] |= {"name": name, "updated_at": self._tick()}
        return self._tell("organization.updated", self.organizations[organization_id])

    def delete_organization(self, organization_id: str) -> dict[str, Any]:
        """It is deleted, and everybody is out without a word of each."""
        self._tick()
        del self.organizations[organization_id]
        self.memberships = {
            key: each for key, each in self.memberships.items() if each["organization"]["id"] != organization_id
        }
        return self._tell("organization.deleted", {"id": organization_id, "object": "organization", "deleted": True})

    def join(self, organization_id: str, user_id: str, role: str = "org:member") -> dict[str, Any]:
        """Somebody becomes a member."""
        at = self._tick()
        self.made += 1
        membership = {
            "id": f"orgmem_{self.made}", "object": "organization_membership", "role": role,
            "organization": dict(self.organizations[organization_id]), "created_at": at, "updated_at": at,
            "public_user_data": {"user_id": user_id, "identifier": "x@example.org"},
        }  # fmt: skip
        self.memberships[membership["id"]] = membership
        return self._tell("organizationMembership.created", membership)

    def _membership(self, organization_id: str, user_id: str) -> dict[str, Any]:
        return next(
            each
            for each in self.memberships.values()
            if each["organization"]["id"] == organization_id and each["public_user_data"]["user_id"] == user_id
        )

    def is_member(self, organization_id: str, user_id: str) -> bool:
        """Whether they are."""
        return any(
            each["organization"]["id"] == organization_id and each["public_user_data"]["user_id"] == user_id
            for each in self.memberships.values()
        )

    def change_role(self, organization_id: str, user_id: str, role: str) -> dict[str, Any]:
        """They get another role."""
        membership = self._membership(organization_id, user_id)
        membership |= {"role": role, "updated_at": self._tick()}
        return self._tell("organizationMembership.updated", membership)

    def leave(self, organization_id: str, user_id: str) -> dict[str, Any]:
        """They are put out, or go."""
        membership = self._membership(organization_id, user_id)
        self._tick()
        del self.memberships[membership["id"]]
        return self._tell("organizationMembership.deleted", membership)
