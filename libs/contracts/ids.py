"""The names of things that travel in the log. None opens anything or tells who somebody is."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import NewType

JobId = NewType("JobId", str)
FolderId = NewType("FolderId", str)  # one destination folder of one job, "<n>"
PlanId = NewType("PlanId", str)  # sorts by the time it was made
WorkItemId = NewType("WorkItemId", str)  # "<job>/<folder>/<plan>"
AccountDigest = NewType("AccountDigest", str)
AgentId = NewType("AgentId", str)

KEY_BYTES = 24  # 192 random bits in the address of a job


def new_job_id() -> JobId:
    return JobId("j" + secrets.token_hex(12))


def new_agent_id() -> AgentId:
    return AgentId("a" + secrets.token_hex(12))


def new_key() -> str:
    """A secret that opens one job: 32 URL-safe characters."""
    return secrets.token_urlsafe(KEY_BYTES)


def view_key(key: str) -> str:
    """The key that only reads, made from the owner's: 32 URL-safe characters that don't lead back to it."""
    digest = hmac.new(key.encode(), b"mailtide view key", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:KEY_BYTES]).decode()


def new_plan_id() -> PlanId:
    """Sorts after every plan id made earlier on this machine (48-bit milliseconds, 64 random bits)."""
    return PlanId(f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}")


def key_hash(key: str) -> str:
    """What is stored of a key: it recognises the key and does not open anything."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode().rstrip("=")


def keyed(key: bytes, kind: str, *parts: str) -> str:
    """A digest that stands for a text of somebody else: nobody without the key can tell which. 32 hex digits."""
    return hmac.new(key, "\0".join((kind, *parts)).encode(), hashlib.sha256).hexdigest()[:32]


def work_item_id(job_id: JobId, folder_id: FolderId, plan_id: PlanId) -> WorkItemId:
    return WorkItemId(f"{job_id}/{folder_id}/{plan_id}")
