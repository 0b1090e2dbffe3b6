/** The parts of the page of a job that are there only sometimes. */
const count = (n: number, one: string, many: string): string => (n === 1 ? one : many)

export const sections = {
  throttle: {
    title: { source: 'The source server asked for a pause', destination: 'The destination server asked for a pause' },
    busy: { source: 'The source server is busy', destination: 'The destination server is busy', explain: 'It is busy, or can’t be reached at the moment. Mailtide tries again by itself and goes on where it stopped.' },
    countdown: (time: string) => `Goes on in ${time}`,
    now: 'Going on any moment',
    explain: 'Mail servers protect themselves against too much at once. Mailtide waits as long as asked, then goes on where it stopped.',
  },
  failures: {
    title: 'What could not be copied',
    lead: (n: string, count_: number) => `${n} ${count(count_, 'message is', 'messages are')} not at the destination.`,
    notedTitle: 'Delivered, but worth a look',
    notedLead: (n: string, count_: number) => `${n} ${count(count_, 'message was', 'messages were')} delivered, and something happened to ${count(count_, 'it', 'them')}.`,
    dryTitle: 'What would not be taken',
    dryLead: (n: string, count_: number) => `${n} ${count(count_, 'message', 'messages')} would not be copied.`,
    loading: 'Fetching the list…',
    item: (folder: string, uid: string) => `${folder}, message ${uid}`,
    message: (uid: string) => `message no. ${uid}`,
    serverSaid: 'The server said',
    without: 'Without',
    itsDate: 'its date',
    csv: 'Download as CSV',
    more: (n: string) => `Show all ${n}`,
    unread: 'The list could not be fetched.',
    tryAgain: 'Try again',
  },
  history: {
    title: 'Speed over time',
    summary: (average: string, best: string) => `On average ${average}, at best ${best}.`,
    loading: 'Fetching the curve…',
    unread: 'The curve could not be fetched.',
    notYet: 'The curve begins with the first message copied.',
    none: 'Nothing was copied, so there is no curve.',
    label: (average: string, best: string) => `Curve of the speed over time. On average ${average}, at best ${best}.`,
  },
  why: 'Why',
  again: 'Try again…',
  failed: { source: 'The source account', destination: 'The destination account' },
  warnings: 'Good to know',
  finished: {
    title: 'Summary',
    duration: 'It took',
    average: 'Average speed',
    verified: 'Verified',
    verifiedHow: {
      size: (n: string) => `${n} by size`,
      identity: (n: string) => `${n} by size, headers and date`,
      bytes: (n: string) => `${n} byte for byte`,
    },
    verifiedNone: 'nothing to verify',
    notVerified: 'not checked',
    failedNone: 'nothing',
    toCopy: 'Would be copied',
    notTaken: 'Would not be taken',
    disappears: 'This record erases itself',
    whatFailed: 'Failed',
  },
}

export type SectionTexts = typeof sections
