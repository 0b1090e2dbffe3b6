/** Texts of the page of a job. */
import type { JobState } from '../../api/types'

export interface StateText {
  title: string
  text: string
  next: string
}

const states: Record<JobState, StateText> = {
  queued: { title: 'Waiting for its turn', text: 'It has not begun yet.', next: 'It begins by itself when a worker is free and no other migration into the same mailbox is going on.' },
  scanning: { title: 'Looking around', text: 'Both mailboxes are being read and counted.', next: 'Copying begins while the counting still goes on.' },
  running: { title: 'Moving your mail', text: 'Messages are being copied.', next: 'You can close this page and come back whenever you like.' },
  paused: { title: 'Paused', text: 'Nothing is copied at the moment.', next: 'It goes on exactly where it stopped when you resume it.' },
  throttled: { title: 'Taking a breath', text: 'A mail server asked for a pause, or is busy.', next: 'It goes on by itself; there is nothing you have to do.' },
  stalled: { title: 'No word from the worker', text: 'Nothing has been reported for a minute.', next: 'It goes on as soon as a worker is back. Nothing is lost and nothing is copied twice.' },
  cancelling: { title: 'Stopping', text: 'The message in hand is being finished.', next: 'What has been copied stays at the destination.' },
  completed: { title: 'All of it has arrived', text: 'Every message is at the destination.', next: 'You can start using the new mailbox. The old one is unchanged.' },
  completed_with_errors: { title: 'Done, but not everything', text: 'Some messages are missing or changed.', next: 'They are listed below, each with the reason and what you can do.' },
  failed: { title: 'It could not go on', text: 'The migration has ended before everything was copied.', next: 'What had been copied stays at the destination. A new migration copies only what is missing.' },
  cancelled: { title: 'Cancelled', text: 'The migration was stopped.', next: 'What had been copied stays at the destination. A new migration copies only what is missing.' },
  gone: { title: 'Nothing here', text: 'There is nothing here (any more).', next: '' },
}

const dryRun: Partial<Record<JobState, StateText>> = {
  scanning: { title: 'Dry run', text: states.scanning.text, next: 'Nothing is written.' },
  completed: { title: 'This would be copied', text: 'The dry run is done.', next: 'Nothing was copied or changed.' },
  cancelled: { title: states.cancelled.title, text: 'The dry run was stopped.', next: 'Nothing was copied or changed.' },
}

export const job = {
  states,
  dryRun,
  job: {
    from: 'From',
    to: 'To',
    unnamed: 'Migration',
    loading: 'Fetching the latest…',
    resting: { title: 'Waiting for its time', text: 'Its schedule lets nothing be copied at the moment.', next: 'It goes on by itself when its time comes.' },
    goesOn: (when: string) => `It goes on by itself: ${when}.`,
    counting: 'Counting what there is to copy',
    countingFolders: (done: string, all: string) => `Counting: ${done} of ${all} folders looked through`,
    progress: 'Progress of the migration',
    ofMessages: (done: string, total: string) => `${done} of ${total} messages looked after`,
    ofItems: (done: string, total: string) => `${done} of ${total} items looked after`,
    nothingToCopy: 'There was nothing to copy',
    left: (range: string) => `about ${range} left`,
    leftSoon: 'less than a minute left',
    readOnly: 'You are looking at the read-only page.',
    holdStill: 'Hold still',
    goOn: 'Show live again',
    still: 'This page is held still. The migration goes on.',
    numbers: {
      title: 'In numbers',
      total: 'In all',
      completed: 'Copied',
      skipped: 'Already there or left out',
      failed: 'Failed',
      bytes: 'Copied so far',
      bytesOf: (done: string, total: string) => `${done} of ${total}`,
      speed: 'Speed',
      worker: 'Worker',
      lastReport: 'Last report',
      none: 'none',
      unknown: 'not known yet',
      noSpeed: 'nothing at the moment',
      atMost: (speed: string) => `at most ${speed}`,
      closed: 'nothing by its schedule',
      until: (when: string) => `until ${when}`,
      noWorker: 'none yet',
    },
    folders: {
      title: 'Folders',
      name: 'Folder',
      goesTo: (name: string) => `arrives as ${name}`,
      state: 'State',
      progress: 'Progress',
      messages: 'Messages',
      size: 'Size',
      failed: (n: string) => `${n} failed`,
      states: { waiting: 'waiting', planned: 'counted', copying: 'copying', done: 'done', failed: 'failed' },
      stopped: 'stopped',
      nothing: 'empty',
      of: (done: string, total: string) => `${done} of ${total}`,
      notYet: 'The folders appear here as soon as they are listed.',
      none: 'The source has no folders.',
      barLabel: (name: string) => `Progress of ${name}`,
    },
    actions: {
      pause: 'Pause',
      resume: 'Resume',
      limits: 'Limits…',
      cancel: 'Cancel…',
      delete: 'Delete…',
    },
    announce: {
      state: (title: string, text: string) => `${title}. ${text}`,
      percent: (percent: string) => `${percent} done.`,
    },
    tabTitle: (percent: string, state: string) => `${percent} · ${state}`,
  },
}

export type JobTexts = typeof job
