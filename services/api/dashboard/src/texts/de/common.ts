import type { Common } from '../en/common'

export const common: Common = {
  speedUnit: 'Mbit/s',
  working: 'Einen Augenblick…',
  back: 'Zurück zur Flotte',
  soon: 'weniger als eine Minute',
  brand: { home: 'Mailtide, Startseite' },
  links: {
    connecting: 'Verbindet',
    live: 'Live',
    reconnecting: 'Verbindet neu',
    polling: 'Fragt alle 10 Sekunden',
    asleep: 'Ruht, solange Sie woanders sind',
    over: 'Beendet',
  },
  problem: {
    offline: 'Mailtide antwortet nicht. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.',
    tooMany: (seconds) => `Das waren viele Anfragen. Versuchen Sie es in ${seconds} noch einmal.`,
    busy: 'Mailtide kann das gerade nicht. Versuchen Sie es gleich noch einmal.',
    refused: 'Mailtide konnte das nicht tun.',
  },
  broken: {
    title: 'Die Seite ließ sich nicht laden',
    text: 'Ein Teil davon kam nicht an. Laden Sie sie gleich noch einmal.',
    again: 'Noch einmal laden',
  },
}
