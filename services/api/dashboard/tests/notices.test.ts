import { describe, expect, test } from 'vitest'
import type { Notice } from '../src/api/types'
import { noticed } from '../src/job/notices'
import { formats } from '../src/numbers/format'
import { speech } from '../src/texts'
import { plain, say } from '../src/texts/sentence'

type Made = { [K in Notice['kind']]: Omit<Extract<Notice, { kind: K }>, 'kind' | 'text'> }

const MADE: Made = {
  messages_too_large: { folder: 'INBOX', messages: 2, limit_bytes: 52_428_800 },
  folder_refused: { folder: 'a/b', messages: 1, server_text: 'NO not here' },
  folders_gone: { folders: ['a', 'b'], more: 0 },
  source_folder_gone: { folder: 'a' },
  keywords_lost: { folder: 'Sent', keywords: ['$Label1', 'Rechnung'], more: 1_200 },
  destination_too_small: { bytes_used: 5_000_000, bytes_whole: 3_000_000 },
  too_little_room: { bytes_free: 1_400_000_000, bytes_planned: 2_085_000_000 },
  too_many_messages: { messages_free: 1, messages_planned: 10_000 },
  shared_left_out: { folders: ['Public/a'], more: 0 },
  names_changed: { renamed: [{ source: 'a.b', destination: 'a_b' }], more: 0 },
  name_not_taken: { folder: 'CON', destination: 'CON_' },
  folders_joined: { folder: 'Sent', sources: ['Sent', 'SENT', 'sent'], more: 2 },
  dry_run_blind: {},
  messages_rewritten: { survives: 'message_id' },
  sizes_wrong: {},
  dates_lost: {},
  gone_at_once: { folder: 'INBOX', messages: 1, of: 3 },
  other: { sentence: 'Mind the gap' },
}
const NOTICES = Object.entries(MADE).map(([kind, values]) => ({ kind, text: 'English', ...values }) as Notice)
const [{ t: en }, { t: de }] = await Promise.all([speech(['en'], ['reasons']), speech(['de'], ['reasons'])])
const say_ = (notice: Notice, t: object, locale: string): string => plain(noticed(notice, t as never, formats(locale, '')) ?? [])

describe('what is good to know', () => {
  test.each(NOTICES.filter(({ kind }) => kind !== 'other'))('$kind is said in both languages, with all of its values', (notice) => {
    const [english, german] = [say_(notice, en, 'en-GB'), say_(notice, de, 'de-DE')]
    expect(english).not.toBe('')
    expect(german).not.toBe('')
    expect(german).not.toBe(english)
    for (const text of [english, german]) expect(text).not.toMatch(/undefined|NaN|\[object|,,|\.\.$/)
    const words = JSON.stringify(MADE[notice.kind]).match(/(?<=[:[{,]")[^"]+(?="[\],}])/g) ?? []
    for (const word of words.filter((each) => each !== 'message_id')) {
      expect(english).toContain(word)
      expect(german).toContain(word)
    }
  })

  test('numbers, sizes and lists are those of the language', () => {
    const [room, keywords] = [NOTICES.find(({ kind }) => kind === 'too_little_room'), NOTICES.find(({ kind }) => kind === 'keywords_lost')] as [Notice, Notice]
    expect(say_(room, de, 'de-DE')).toMatch(/1,4\sGB frei, und 2,1\sGB sollen/)
    expect(say_(keywords, de, 'de-DE')).toContain('$Label1, Rechnung und noch 1.200.')
    expect(say_(keywords, en, 'en-GB')).toContain('$Label1, Rechnung, and 1,200 more.')
  })

  test('one message is one, also in German', () => {
    const [refused, gone] = [NOTICES.find(({ kind }) => kind === 'folder_refused'), NOTICES.find(({ kind }) => kind === 'gone_at_once')] as [Notice, Notice]
    expect(say_(refused, de, 'de')).toBe('Das Ziel wollte den Ordner „a/b“ nicht anlegen. 1 Nachricht lässt sich nicht kopieren. Der Server sagte: NO not here')
    expect(say_(gone, de, 'de')).toContain('war 1 sofort wieder weg')
  })

  test('a kind that is not known, or none, is not said by the catalogue', () => {
    expect(noticed({ kind: 'moon_full', text: 'The moon is full.' } as unknown as Notice, en as never, formats('en', ''))).toBeNull()
    expect(noticed({ kind: 'other', sentence: 'x', text: 'x' }, de as never, formats('de', ''))).toBeNull()
  })

  test('names are pieces of their own', () => {
    expect(say`a ${['“', { name: 'x' }, '”']} b ${'c'}`.filter((piece) => piece !== '')).toEqual(['a ', '“', { name: 'x' }, '”', ' b ', 'c'])
  })
})
