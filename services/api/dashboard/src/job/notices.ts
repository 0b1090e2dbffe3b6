/** What is said of a notice; null: it is of a kind that these pages do not know. Pure. */
import type { Notice } from '../api/types'
import type { Formats } from '../numbers/format'
import type { NoticeTexts } from '../texts'
import type { Sentence } from '../texts/sentence'

type Say = (notice: Notice, f: Formats) => Sentence

export function noticed(notice: Notice, t: NoticeTexts, f: Formats): Sentence | null {
  const says = t.notices as Partial<Record<Notice['kind'], Say>>
  return says[notice.kind]?.(notice, f) ?? null
}
