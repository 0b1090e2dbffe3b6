/** What to do about each class of failure. */
import type { Reason } from '../../api/types'

const reasons: Record<Reason, string> = {
  host_unknown: 'No server has this name. Check the spelling of the IMAP server’s name.',
  address_refused: 'This address or port is not allowed here. Use the public name of the mail server and port 993 or 143.',
  connection_refused: 'Nothing answers at this port. Check server name and port; IMAP over TLS is usually 993.',
  timed_out: 'The server did not answer in time. Check server name and port, and try again in a while.',
  tls_untrusted: 'The server’s certificate can’t be trusted for this name. Use the name your provider gives for IMAP.',
  tls_unavailable: 'The server offers no encryption here. Use port 993 with TLS, or 143 with STARTTLS.',
  plain_refused: 'Mailtide does not send a password without encryption. Choose TLS or STARTTLS.',
  not_imap: 'What answers here is not an IMAP server. Check the port; IMAP over TLS is usually 993.',
  login_refused: 'The server refused user name or password. Many providers want an app password, made in their security settings.',
  login_unsupported: 'The server does not accept this way to sign in. Use an app password, or an access token if your provider wants one.',
  access_lost: 'The account can no longer be opened. Give the credentials again to go on.',
  connection_lost: 'The connection broke. Mailtide connects again by itself.',
  busy: 'The server is busy. Mailtide tries again by itself.',
  throttled: 'The server asked for a pause. Mailtide goes on by itself.',
  same_account: 'Source and destination are the same mailbox. Choose two different accounts.',
  folder_gone: 'The folder no longer exists. If it was renamed, start the migration once more.',
  folder_refused: 'The server would not make or open this folder. Make it there by hand, or leave it out.',
  folder_failing: "The server can't open or make this folder because of an error of its own. Tell its provider, then retry.",
  no_permission: 'The account may not read or write this folder. Ask the administrator, or leave it out.',
  folder_unstable: 'The server renumbered this folder again and again. Try again later.',
  message_refused: 'The destination refused this message. Save it from the source by hand if you need it.',
  message_too_large: 'The message is larger than the destination takes. Save it from the source by hand.',
  over_quota: 'The destination is full. Free space or enlarge it, then retry.',
  message_unreadable: 'The source did not hand out this message. Try to open it there, then retry.',
  unconfirmed: 'It may be at the destination already, and nothing tells: it was sent and never confirmed, or a message there can’t be read. Copying it might double it. Look for it there.',
  removed_at_destination: 'It was delivered and then removed at the destination by somebody else. It is not brought back.',
  rewritten: 'The destination changed this message while storing it.',
  flags_dropped: 'The destination refused some flags of this message; it was delivered without them.',
  date_dropped: 'The destination refused the date of this message; it was delivered and carries the day of the migration.',
  merged: 'The destination keeps equal messages once: one it held already stands for this one.',
  surplus: 'The destination holds one copy of this message too many. Delete one by hand if it disturbs you.',
  agent_failed: 'Its agent gave up. What it said is among the failures; start it again with a new job.',
  item_failed: 'The agent could not carry this over. Its own words say why.',
  protocol: 'The server answered something that is not IMAP. Try again; tell the provider if it stays.',
  internal: 'Mailtide could not go on with this. Try again.',
}

export const texts = { reasons }

// What goes wrong is loaded as one.
export { notices } from './notices'
export { problems } from './problems'

export type ReasonTexts = typeof texts
