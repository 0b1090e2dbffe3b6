/** Limits and their schedule, wherever they are set. */
export const limits = {
  limits: {
    concurrency: 'Folders at the same time',
    bandwidth: 'Use at most',
    noLimit: 'no limit',
    badNumber: 'Please give a number greater than zero, or leave it empty.',
    schedule: 'Schedule',
    scheduleHint: 'At certain times another limit can hold, or nothing be copied at all: during office hours, for example.',
    window: (n: string) => `Time window ${n}`,
    from: 'From',
    to: 'to',
    toNextDay: 'to (the next day)',
    atMost: 'At most',
    nothing: 'nothing',
    addFirst: 'Add a time window',
    add: 'Add another',
    remove: 'Remove',
    removeWindow: (n: string) => `Remove time window ${n}`,
    timezone: 'By the clock of',
    faults: {
      days: 'Choose at least one day.',
      times: 'Give both times.',
      number: 'Please give a number greater than zero, or leave it empty to copy nothing.',
    },
  },
}

export type LimitsTexts = typeof limits
