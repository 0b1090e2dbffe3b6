/** What is good to know about a job, by its kind. */
import type { Notice } from '../../api/types'
import type { Formats } from '../../numbers/format'
import { listed, say, type Sentence } from '../sentence'

/** A kind that the api can send and a language does not say is an error of types. */
export type NoticeTexts = { notices: { [K in Exclude<Notice['kind'], 'other'>]: (notice: Extract<Notice, { kind: K }>, f: Formats) => Sentence } }

const count = (n: number, one: string, many: string): string => (n === 1 ? one : many)
const messages = (n: number, f: Formats): string => `${f.number(n)} ${count(n, 'message', 'messages')}`
const quoted = (name: string): Sentence => ['“', { name }, '”']
const list = (told: readonly Sentence[], more: number, f: Formats): Sentence => listed('en', more > 0 ? [...told, [`${f.number(more)} more`]] : told)
const recognised = 'They are recognised and verified by'

export const notices: NoticeTexts = {
  notices: {
    messages_too_large: (n, f) => say`${messages(n.messages, f)} of ${quoted(n.folder)} can’t be copied: the destination takes no message larger than ${f.bytes(n.limit_bytes)}.`,
    folder_refused: (n, f) => [
      ...say`The destination would not make the folder ${quoted(n.folder)}. ${n.messages > 0 ? `${messages(n.messages, f)} can’t be copied.` : 'There is no mail in it.'}`,
      ...(n.server_text === '' ? [] : say` The server said: ${{ said: n.server_text }}`),
    ],
    folders_gone: (n, f) =>
      say`No longer at the source when ${count(n.folders.length, 'its', 'their')} turn came, and not copied: ${list(n.folders.map(quoted), n.more, f)}. If a folder was renamed, start the migration once more.`,
    source_folder_gone: (n) => say`The source folder ${quoted(n.folder)} was renamed or deleted meanwhile; what was left of it is skipped. If it was renamed, start the migration once more.`,
    keywords_lost: (n, f) => say`The destination keeps no new keywords in ${quoted(n.folder)}. Not kept: ${list(n.keywords.map((name) => [{ name }]), n.more, f)}.`,
    destination_too_small: (n, f) =>
      say`The source says that it uses ${f.bytes(n.bytes_used)}, and the destination takes ${f.bytes(n.bytes_whole)} in all. Enlarge it or leave out folders, or it may be full before everything has arrived.`,
    too_little_room: (n, f) =>
      say`The destination has ${f.bytes(n.bytes_free)} left, and ${f.bytes(n.bytes_planned)} are to be copied. Free space or enlarge it, or it will be full before everything has arrived.`,
    too_many_messages: (n, f) =>
      say`The destination takes ${messages(n.messages_free, f)} more, and ${f.number(n.messages_planned)} are to be copied. Make room or raise that limit, or not everything will arrive.`,
    shared_left_out: (n, f) => say`Not copied, as they are shared or other people’s: ${list(n.folders.map(quoted), n.more, f)}.`,
    names_changed: (n, f) =>
      say`Some folder names can’t be held by the destination as they are. They arrive changed: ${list(n.renamed.map((one) => say`${quoted(one.source)} as ${quoted(one.destination)}`), n.more, f)}.`,
    name_not_taken: (n) => say`The destination does not take the name ${quoted(n.folder)}: the folder is ${quoted(n.destination)} there.`,
    folders_joined: (n, f) =>
      say`${f.number(n.sources.length + n.more)} source folders go into one destination folder, ${quoted(n.folder)}: ${list(n.sources.map(quoted), n.more, f)}.`,
    dry_run_blind: () => [
      'A dry run can’t know whether the destination accepts the names of new folders, and often not whether it keeps keywords: most servers tell that only when something is written.',
    ],
    messages_rewritten: (n) => [
      {
        size: `The destination changes messages as it stores them, but not their main headers and size. ${recognised} these.`,
        headers: `The destination changes messages as it stores them, but not their main headers. ${recognised} these.`,
        message_id: `The destination changes messages as it stores them, but not their Message-ID. ${recognised} it alone.`,
        none: 'The destination changes messages beyond recognition, even their Message-ID. They can’t be verified; what is in doubt is listed as unconfirmed and not sent again.',
      }[n.survives],
    ],
    sizes_wrong: () => ['The destination tells wrong sizes. Messages are recognised by their headers.'],
    dates_lost: () => ['The destination does not keep the dates of messages.'],
    gone_at_once: (n, f) =>
      say`${f.number(n.messages)} of the first ${messages(n.of, f)} delivered to ${quoted(n.folder)} ${count(n.messages, 'was', 'were')} gone at once. Is there a filter or a rule at the destination?`,
  },
}
