import type { Common } from '../en/common'

export const common: Common = {
  speedUnit: 'Mbit/s',
  working: 'Einen Augenblick…',
  back: 'Zurück zur Flotte',
  soon: 'weniger als eine Minute',
  brand: { home: 'Mailtide, Startseite', tagline: 'Zieht Ihr Postfach um. Alles, einmal.' },
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
  gone: {
    title: 'Hier ist nichts',
    text: 'Unter dieser Adresse gibt es keinen Umzug. Er wurde gelöscht, seine Zeit ist um, oder die Adresse ist nicht vollständig.',
    hint: 'Aufzeichnungen von Umzügen löschen sich selbst. Haben Sie die Adresse kopiert, sehen Sie nach, ob ihr Ende fehlt.',
    start: 'Ein Postfach umziehen',
  },
  broken: {
    title: 'Die Seite ließ sich nicht laden',
    text: 'Ein Teil davon kam nicht an. Laden Sie sie gleich noch einmal.',
    again: 'Noch einmal laden',
  },
}
