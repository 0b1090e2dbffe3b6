/** Texts of every page, in English. Other languages have the types of these files, so none can lack a text. */
export const common = {
  speedUnit: 'Mbps',
  working: 'One moment…',
  back: 'Back to the fleet',
  soon: 'less than a minute',
  brand: { home: 'Mailtide, start page' },
  links: {
    connecting: 'Connecting',
    live: 'Live',
    reconnecting: 'Reconnecting',
    polling: 'Asking every 10 seconds',
    asleep: 'Resting while you look elsewhere',
    over: 'Ended',
  },
  problem: {
    offline: 'No answer from Mailtide. Check your connection and try again.',
    tooMany: (seconds: string) => `That was a lot of requests. Try again in ${seconds}.`,
    busy: 'Mailtide can’t do this right now. Try again in a moment.',
    refused: 'Mailtide could not do this.',
  },
  broken: {
    title: 'The page could not be loaded',
    text: 'A part of it did not arrive. Load it again in a moment.',
    again: 'Load again',
  },
}

export type Common = typeof common
