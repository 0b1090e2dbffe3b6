import type { GoneTexts } from '../en/gone'

export const gone: GoneTexts = {
  gone: {
    title: 'Hier ist nichts',
    text: 'Unter dieser Adresse gibt es keinen Umzug. Er wurde gelöscht, seine Zeit ist um, oder die Adresse ist nicht vollständig.',
    hint: 'Aufzeichnungen von Umzügen löschen sich selbst. Haben Sie die Adresse kopiert, sehen Sie nach, ob ihr Ende fehlt.',
    start: 'Ein Postfach umziehen',
  },
}
