import { describe, expect, test } from 'vitest'
import type { CheckedFolder } from '../src/api/types'
import { emptyLimits } from '../src/limits/draft'
import { emptyDraft, fieldNamed, fieldOf, missing, sameAccount, toAccount, withSecurity } from '../src/start/account'
import { counted, globs, toggled, tree } from '../src/start/folders'
import { emptyOptions, toOptions, wrongOptions } from '../src/start/options'
import { start } from '../src/texts/en/start'
import { common } from '../src/texts/en/common'

const t = { ...common, ...start }
const filled = { ...emptyDraft(), host: ' imap.example.org ', username: 'anna', secret: 's' }

describe('an account', () => {
  test('says at each field what is missing', () => {
    expect(Object.keys(missing(emptyDraft(), t))).toEqual(['host', 'username', 'secret'])
    expect(Object.keys(missing({ ...filled, host: 'anna@example.org', port: '99999' }, t))).toEqual(['host', 'port'])
    expect(missing(filled, t)).toEqual({})
  })

  test('is sent with a password or a token, never both', () => {
    expect(toAccount(filled)).toEqual({ host: 'imap.example.org', port: 993, security: 'tls', username: 'anna', password: 's' })
    expect(toAccount({ ...filled, signIn: 'token' })).toMatchObject({ oauth: { access_token: 's' } })
  })

  test('the port follows the encryption until it was chosen', () => {
    expect(withSecurity(filled, 'starttls').port).toBe('143')
    expect(withSecurity({ ...filled, port: '1143' }, 'starttls').port).toBe('1143')
  })

  test('is the same one without letter case', () => {
    expect(sameAccount(filled, { ...filled, host: 'IMAP.example.org', username: 'Anna', port: '143' })).toBe(true)
    expect(sameAccount(emptyDraft(), emptyDraft())).toBe(false)
  })

  test('what is wrong is said at the field it is about', () => {
    expect([fieldOf('host_unknown'), fieldOf('login_refused'), fieldOf('tls_unavailable')]).toEqual(['host', 'secret', 'security'])
    expect(['account.host', 'source.oauth.access_token', 'options.since'].map(fieldNamed)).toEqual(['host', 'secret', null])
  })
})

describe('folders', () => {
  const folder = (name: string, above: string[] = []): CheckedFolder => ({ name, above, special_use: null, items: 1 })
  const branches = tree([folder('INBOX'), folder('INBOX/Work', ['INBOX']), folder('INBOX/Work/2024', ['INBOX', 'INBOX/Work']), folder('Sent'), folder('Sent*')])

  test('stand below the ones they are in', () => {
    expect(branches.map((branch) => [branch.label, branch.depth])).toEqual([['INBOX', 0], ['Work', 1], ['2024', 2], ['Sent', 0], ['Sent*', 0]])
  })

  test('only the server says what lies in what', () => {
    expect(tree([folder('A'), folder('A.b')]).map((branch) => [branch.label, branch.depth])).toEqual([['A', 0], ['A.b', 0]])
  })

  test('what only holds folders can be chosen with what lies in it, and is never asked for', () => {
    const gmail = tree([folder('INBOX'), folder('[Gmail]/Sent', ['[Gmail]']), folder('[Gmail]/Spam', ['[Gmail]'])])
    expect(gmail.map((branch) => [branch.label, branch.depth, branch.holds])).toEqual([['INBOX', 0, true], ['[Gmail]', 0, false], ['Sent', 1, true], ['Spam', 1, true]])
    const left = toggled(new Set(), gmail, '[Gmail]', false)
    expect(globs(gmail, left)).toEqual({ include: ['INBOX'] })
    expect(wrongOptions({ ...emptyOptions(), left: toggled(left, gmail, 'INBOX', false) }, gmail)).toEqual(['folders'])
  })

  test('that were not counted are not empty', () => {
    expect(counted([{ items: 2 }, { items: null }])).toEqual({ items: 2, all: false })
    expect(counted([{ items: 2 }, { items: 1 }])).toEqual({ items: 3, all: true })
  })

  test('go together with what is below them', () => {
    const left = toggled(new Set(), branches, 'INBOX/Work', false)
    expect([...left]).toEqual(['INBOX/Work', 'INBOX/Work/2024'])
    expect(toggled(left, branches, 'INBOX/Work/2024', true)).toEqual(new Set(['INBOX/Work']))
  })

  test('are told by the shorter list, and a wildcard in a name stands for itself', () => {
    expect(globs(branches, new Set())).toEqual({})
    expect(globs(branches, new Set(['Sent*']))).toEqual({ exclude: ['Sent[*]'] })
    expect(globs(branches, new Set(['INBOX', 'INBOX/Work', 'INBOX/Work/2024', 'Sent']))).toEqual({ include: ['Sent[*]'] })
  })

  test('leaving out all of them is refused', () => {
    expect(wrongOptions({ ...emptyOptions(), left: new Set(branches.map((branch) => branch.name)) }, branches)).toEqual(['folders'])
  })
})

describe('options', () => {
  test('that were left alone are not sent', () => {
    expect(toOptions(emptyOptions(), [], 'de')).toEqual({})
  })

  test('are sent in the units of the api', () => {
    const draft = { ...emptyOptions(), mode: 'folders_only', since: '2024-01-01', largest: '2,5', limits: { ...emptyLimits(), concurrency: '4', bandwidth: '10' } }
    expect(toOptions(draft, [], 'de')).toEqual({ mode: 'folders_only', since: '2024-01-01', max_item_bytes: 2_500_000, concurrency: 4, bandwidth_limit_mbps: 10 })
    expect(toOptions({ ...emptyOptions(), notify: ' a@b.example ' }, [], 'de')).toEqual({ notify_email: 'a@b.example', notify_language: 'de' })
  })

  test('that contradict themselves are refused', () => {
    expect(wrongOptions({ ...emptyOptions(), since: '2024-02-01', before: '2024-01-01', largest: 'much', limits: { ...emptyLimits(), bandwidth: '-1' } }, [])).toEqual(['dates', 'largest', 'limits'])
  })
})
