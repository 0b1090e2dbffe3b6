/** What is said otherwise of a job that an external agent carries out. */
import type { BreakdownRow, JobState } from '../../api/types'
import type { StateText } from './job'

const states: Partial<Record<JobState, StateText>> = {
  queued: { title: 'Waiting for its agent', text: 'Its agent has not reported yet.', next: 'It begins with the first report.' },
  running: { title: 'Its agent is at work', text: 'What it reports is shown here.', next: 'You can close this page and come back whenever you like.' },
  paused: { title: 'Paused', text: 'Its agent was told to wait.', next: 'It goes on when you resume it.' },
  stalled: { title: 'No word from its agent', text: 'Nothing has been reported for a minute.', next: 'It goes on as soon as the agent reports again.' },
  cancelling: { title: 'Stopping', text: 'Its agent was told to stop.', next: 'It ends when the agent says so, or has been silent for a minute.' },
  completed: { title: 'All of it is done', text: 'Its agent has carried over everything.', next: 'What it reported stays here until this record erases itself.' },
  completed_with_errors: { title: 'Done, but not everything', text: 'Its agent could not carry over everything.', next: 'What it said about that is listed below.' },
  failed: { title: 'It could not go on', text: 'Its agent gave up before everything was done.', next: 'What had been carried over stays.' },
  cancelled: { title: 'Cancelled', text: 'The job was stopped.', next: 'What had been carried over stays.' },
}

const rows: Record<BreakdownRow['state'], string> = { waiting: 'waiting', planned: 'counted', copying: 'in progress', done: 'done', failed: 'failed' }

export const external = {
  external: {
    states,
    entities: {
      title: 'Contents',
      name: 'Kind',
      imported: 'Carried over',
      skipped: 'Left out',
      errored: 'Failed',
      states: rows,
      none: 'Its agent has not said what kinds of things it carries over.',
    },
    failures: {
      lead: (n: string, count: number) => `${n} ${count === 1 ? 'item was' : 'items were'} not carried over.`,
      said: 'The agent said',
    },
    cancelDialog: {
      title: 'Stop this job?',
      text: 'Its agent is told to stop. What has been carried over stays.',
      yes: 'Stop the job',
      no: 'Let it go on',
    },
    deleteDialog: {
      title: 'Delete everything about this job?',
      live: 'Its agent is told to stop first. ',
      text: 'Numbers, names and this page are erased at once, and the address stops working for everybody. What was carried over stays.',
      yes: 'Delete everything',
      no: 'Keep it',
    },
    names: { name: 'Names of items, and what the agent said', why: 'to show what went wrong' },
  },
}

export type ExternalTexts = typeof external
