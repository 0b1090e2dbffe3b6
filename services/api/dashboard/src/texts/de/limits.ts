import type { LimitsTexts } from '../en/limits'

export const limits: LimitsTexts = {
  limits: {
    concurrency: 'Ordner zur gleichen Zeit',
    bandwidth: 'Höchstens benutzen',
    noLimit: 'ohne Grenze',
    badNumber: 'Bitte eine Zahl größer als null, oder leer lassen.',
    schedule: 'Zeitplan',
    scheduleHint: 'Zu bestimmten Zeiten kann eine andere Grenze gelten oder gar nichts kopiert werden: während der Bürozeit zum Beispiel.',
    window: (n) => `Zeitfenster ${n}`,
    from: 'Von',
    to: 'bis',
    toNextDay: 'bis (am nächsten Tag)',
    atMost: 'Höchstens',
    nothing: 'nichts',
    addFirst: 'Zeitfenster hinzufügen',
    add: 'Noch eines',
    remove: 'Entfernen',
    removeWindow: (n) => `Zeitfenster ${n} entfernen`,
    timezone: 'Nach der Uhr von',
    faults: {
      days: 'Wählen Sie mindestens einen Tag.',
      times: 'Geben Sie beide Zeiten an.',
      number: 'Bitte eine Zahl größer als null, oder leer lassen, um nichts zu kopieren.',
    },
  },
}
