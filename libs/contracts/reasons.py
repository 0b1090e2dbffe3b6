"""Why something failed: one class each, with the sentence a person reads."""

from enum import StrEnum


class Reason(StrEnum):
    # reaching an account
    HOST_UNKNOWN = "host_unknown"
    ADDRESS_REFUSED = "address_refused"  # a private or forbidden network or port
    CONNECTION_REFUSED = "connection_refused"
    TIMED_OUT = "timed_out"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_UNAVAILABLE = "tls_unavailable"  # no STARTTLS, or not a TLS port
    PLAIN_REFUSED = "plain_refused"
    NOT_IMAP = "not_imap"
    LOGIN_REFUSED = "login_refused"
    LOGIN_UNSUPPORTED = "login_unsupported"
    ACCESS_LOST = "access_lost"  # the credentials are no longer held, or stopped working
    CONNECTION_LOST = "connection_lost"
    BUSY = "busy"
    THROTTLED = "throttled"
    SAME_ACCOUNT = "same_account"
    # a folder
    FOLDER_GONE = "folder_gone"
    FOLDER_REFUSED = "folder_refused"  # the server would not make or open it
    FOLDER_FAILING = "folder_failing"  # an error of the server's own, each time it was tried
    NO_PERMISSION = "no_permission"
    FOLDER_UNSTABLE = "folder_unstable"  # it kept changing its UIDVALIDITY
    # one message
    MESSAGE_REFUSED = "message_refused"
    MESSAGE_TOO_LARGE = "message_too_large"
    OVER_QUOTA = "over_quota"
    MESSAGE_UNREADABLE = "message_unreadable"  # the source would not give it
    UNCONFIRMED = "unconfirmed"  # it may be at the destination: not safe to send (again)
    REMOVED_AT_DESTINATION = "removed_at_destination"
    REWRITTEN = "rewritten"
    FLAGS_DROPPED = "flags_dropped"  # delivered without what the destination would not take
    DATE_DROPPED = "date_dropped"
    MERGED = "merged"  # the destination keeps equal mail once
    SURPLUS = "surplus"  # at the destination more often than it should be
    # an external agent
    AGENT_FAILED = "agent_failed"  # it ended the job
    ITEM_FAILED = "item_failed"  # one item, in its own words
    # Mailtide itself
    PROTOCOL = "protocol"
    INTERNAL = "internal"


ASKED = (Reason.BUSY, Reason.THROTTLED)  # the server itself wants a pause

WHAT_TO_DO: dict[Reason, str] = {
    Reason.HOST_UNKNOWN: "No server has this name. Check the spelling of the IMAP server's name.",
    Reason.ADDRESS_REFUSED: (
        "This address or port is not allowed here. Use the public name of the mail server and port 993 or 143."
    ),
    Reason.CONNECTION_REFUSED: (
        "Nothing answers at this port. Check server name and port; IMAP over TLS is usually 993."
    ),
    Reason.TIMED_OUT: ("The server did not answer in time. Check server name and port, and try again in a while."),
    Reason.TLS_UNTRUSTED: (
        "The server's certificate can't be trusted for this name. Use the name your provider gives for IMAP."
    ),
    Reason.TLS_UNAVAILABLE: "The server offers no encryption here. Use port 993 with TLS, or 143 with STARTTLS.",
    Reason.PLAIN_REFUSED: "Mailtide does not send a password without encryption. Choose TLS or STARTTLS.",
    Reason.NOT_IMAP: ("What answers here is not an IMAP server. Check the port; IMAP over TLS is usually 993."),
    Reason.LOGIN_REFUSED: (
        "The server refused user name or password. Many providers want an app password made in their security settings."
    ),
    Reason.LOGIN_UNSUPPORTED: (
        "The server does not accept this way to log in. Use an app password, or an access token if your "
        "provider wants one."
    ),
    Reason.ACCESS_LOST: "The account can no longer be opened. Give the credentials again to go on.",
    Reason.CONNECTION_LOST: "The connection broke. Mailtide connects again by itself.",
    Reason.BUSY: "The server is busy. Mailtide tries again by itself.",
    Reason.THROTTLED: "The server asked for a pause. Mailtide goes on by itself.",
    Reason.SAME_ACCOUNT: "Source and destination are the same mailbox. Choose two different accounts.",
    Reason.FOLDER_GONE: "The folder no longer exists. If it was renamed, start the migration once more.",
    Reason.FOLDER_REFUSED: ("The server would not make or open this folder. Make it there by hand, or leave it out."),
    Reason.FOLDER_FAILING: (
        "The server can't open or make this folder because of an error of its own. Tell its provider, then retry."
    ),
    Reason.NO_PERMISSION: ("The account may not read or write this folder. Ask the administrator, or leave it out."),
    Reason.FOLDER_UNSTABLE: "The server renumbered this folder again and again. Try again later.",
    Reason.MESSAGE_REFUSED: "The destination refused this message. Save it from the source by hand if you need it.",
    Reason.MESSAGE_TOO_LARGE: "The message is larger than the destination takes. Save it from the source by hand.",
    Reason.OVER_QUOTA: "The destination is full. Free space or enlarge it, then retry.",
    Reason.MESSAGE_UNREADABLE: "The source did not hand out this message. Try to open it there, then retry.",
    Reason.UNCONFIRMED: (
        "It may be at the destination already, and nothing tells: it was sent and never confirmed, or a message there "
        "can't be read. Copying it might double it. Look for it there."
    ),
    Reason.REMOVED_AT_DESTINATION: (
        "It was delivered and then removed at the destination by somebody else. It is not brought back."
    ),
    Reason.REWRITTEN: "The destination changed this message while storing it.",
    Reason.FLAGS_DROPPED: "The destination refused some flags of this message; it was delivered without them.",
    Reason.DATE_DROPPED: (
        "The destination refused the date of this message; it was delivered and carries the day of the migration."
    ),
    Reason.MERGED: "The destination keeps equal messages once: one it held already stands for this one.",
    Reason.SURPLUS: "The destination holds one copy of this message too many. Delete one by hand if it disturbs you.",
    Reason.AGENT_FAILED: "Its agent gave up. What it said is among the failures; start it again with a new job.",
    Reason.ITEM_FAILED: "The agent could not carry this over. Its own words say why.",
    Reason.PROTOCOL: ("The server answered something that is not IMAP. Try again; tell the provider if it stays."),
    Reason.INTERNAL: "Mailtide could not go on with this. Try again.",
}
