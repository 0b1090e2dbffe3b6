/** An account as it is typed in: what is missing, what is sent, and which field a reason is about. Pure. */
import type { Account, Reason, Security, Side } from '../api/types'
import type { StartTexts } from '../texts'

export type Field = 'host' | 'port' | 'security' | 'username' | 'secret'

export interface Draft {
  host: string
  port: string
  security: Security
  username: string
  signIn: 'password' | 'token'
  secret: string
}

export type Wrong = Partial<Record<Field, string>>

export const emptyDraft = (): Draft => ({ host: '', port: '993', security: 'tls', username: '', signIn: 'password', secret: '' })

const PORTS: Record<Security, string> = { tls: '993', starttls: '143', plain: '143' }

/** The port that goes with the encryption, unless the person gave one of their own. */
export function withSecurity(draft: Draft, security: Security): Draft {
  const own = draft.port.trim() !== '' && draft.port !== PORTS[draft.security]
  return { ...draft, security, port: own ? draft.port : PORTS[security] }
}

export function missing(draft: Draft, t: StartTexts): Wrong {
  const port = Number(draft.port)
  const wrong: Wrong = {}
  if (draft.host.trim() === '') wrong.host = t.start.required
  else if (/[\s/@]/.test(draft.host.trim())) wrong.host = t.start.badHost
  if (!/^\d+$/.test(draft.port.trim()) || port < 1 || port > 65_535) wrong.port = t.start.badPort
  if (draft.username === '') wrong.username = t.start.required
  if (draft.secret === '') wrong.secret = t.start.required
  return wrong
}

export function toAccount(draft: Draft): Account {
  const secret = draft.signIn === 'password' ? { password: draft.secret } : { oauth: { access_token: draft.secret } }
  return { host: draft.host.trim(), port: Number(draft.port), security: draft.security, username: draft.username, ...secret }
}

export const sameAccount = (one: Draft, other: Draft): boolean =>
  one.host.trim() !== '' && one.host.trim().toLowerCase() === other.host.trim().toLowerCase() && one.username.toLowerCase() === other.username.toLowerCase()

const ABOUT: Partial<Record<Reason, Field>> = {
  host_unknown: 'host',
  address_refused: 'host',
  timed_out: 'host',
  tls_untrusted: 'host',
  connection_refused: 'port',
  not_imap: 'port',
  tls_unavailable: 'security',
  plain_refused: 'security',
  same_account: 'username',
}

/** The field that a reason is about; a login that is refused is mended where the password is. */
export const fieldOf = (reason: Reason): Field => ABOUT[reason] ?? 'secret'

/** What is wrong with each account, of what is said beside each field that the api names. */
export function bySide(fields: Record<string, string>): Partial<Record<Side, Wrong>> {
  const wrong: Partial<Record<Side, Wrong>> = {}
  for (const [name, said] of Object.entries(fields)) {
    const side = name.split('.')[0]
    if (side === 'source' || side === 'destination') wrong[side] = { ...wrong[side], [fieldNamed(name) ?? 'username']: said }
  }
  return wrong
}

/** The field that the api names: "account.host", "source.oauth.access_token". */
export function fieldNamed(name: string): Field | null {
  const last = name.split('.').slice(1)
  if (last.includes('password') || last.includes('oauth')) return 'secret'
  const found = last.find((part): part is Field => part === 'host' || part === 'port' || part === 'security' || part === 'username')
  return found ?? null
}
