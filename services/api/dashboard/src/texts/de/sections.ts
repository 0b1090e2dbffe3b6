import type { SectionTexts } from '../en/sections'

const zahl = (n: number, eins: string, viele: string): string => (n === 1 ? eins : viele)

export const sections: SectionTexts = {
  throttle: {
    title: { source: 'Der Server der Quelle hat um eine Pause gebeten', destination: 'Der Server des Ziels hat um eine Pause gebeten' },
    countdown: (time) => `Weiter in ${time}`,
    now: 'Es geht gleich weiter',
    explain: 'Mailserver schützen sich vor zu viel auf einmal. Mailtide wartet so lange wie gewünscht und macht dort weiter, wo es aufgehört hat.',
  },
  failures: {
    title: 'Was sich nicht kopieren ließ',
    lead: (n, anzahl) => `${n} ${zahl(anzahl, 'Nachricht ist', 'Nachrichten sind')} nicht am Ziel.`,
    dryTitle: 'Was nicht angenommen würde',
    dryLead: (n, anzahl) => `${n} ${zahl(anzahl, 'Nachricht würde', 'Nachrichten würden')} nicht kopiert.`,
    loading: 'Die Liste wird geholt…',
    item: (folder, uid) => `${folder}, Nachricht ${uid}`,
    message: (uid) => `Nachricht Nr. ${uid}`,
    serverSaid: 'Der Server sagte',
    csv: 'Als CSV herunterladen',
    more: (n) => `Alle ${n} zeigen`,
    unread: 'Die Liste ließ sich nicht holen.',
    tryAgain: 'Noch einmal',
  },
  history: {
    title: 'Geschwindigkeit im Verlauf',
    summary: (average, best) => `Im Mittel ${average}, höchstens ${best}.`,
    notYet: 'Die Kurve beginnt mit der ersten kopierten Nachricht.',
    none: 'Es wurde nichts kopiert, also gibt es keine Kurve.',
    label: (average, best) => `Kurve der Geschwindigkeit. Im Mittel ${average}, höchstens ${best}.`,
  },
  why: 'Warum',
  again: 'Noch einmal versuchen…',
  failed: { source: 'Das Konto der Quelle', destination: 'Das Konto am Ziel' },
  warnings: 'Gut zu wissen',
  finished: {
    title: 'Zusammenfassung',
    duration: 'Dauer',
    average: 'Mittlere Geschwindigkeit',
    verified: 'Überprüft',
    verifiedHow: {
      size: (n) => `${n} nach Größe`,
      identity: (n) => `${n} nach Größe, Kopfzeilen und Datum`,
      bytes: (n) => `${n} Byte für Byte`,
    },
    notVerified: 'nicht geprüft',
    verifiedNone: 'nichts zu überprüfen',
    failedNone: 'nichts',
    toCopy: 'Würde kopiert',
    notTaken: 'Würde nicht angenommen',
    disappears: 'Löscht sich selbst',
    whatFailed: 'Fehlgeschlagen',
  },
}
