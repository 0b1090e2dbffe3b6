import type { DialogTexts } from '../en/dialogs'

export const dialogs: DialogTexts = {
  cancelDialog: {
    title: 'Diesen Umzug beenden?',
    text: 'Nach der gerade laufenden Nachricht ist endgültig Schluss. Was kopiert wurde, bleibt am Ziel, und ein späterer Umzug kopiert nur, was fehlt.',
    yes: 'Umzug beenden',
    no: 'Weiterlaufen lassen',
  },
  deleteDialog: {
    title: 'Alles über diesen Umzug löschen?',
    live: 'Er wird zuerst beendet. ',
    text: 'Zugangsdaten, Zahlen, Ordnernamen und diese Seite werden sofort gelöscht, und die Adresse gilt für niemanden mehr. Kopierte Nachrichten bleiben am Ziel.',
    yes: 'Alles löschen',
    no: 'Behalten',
  },
  limitsDialog: {
    title: 'Grenzen, während er läuft',
    yes: 'Grenzen setzen',
    no: 'Lassen',
  },
  retryDialog: {
    title: 'Noch einmal versuchen?',
    held: 'Was fehlschlug oder noch nicht erledigt war, wird noch einmal versucht. Was angekommen ist, bleibt, wie es ist.',
    notHeld: 'Die Zugangsdaten wurden vernichtet, als der Umzug endete. Geben Sie beide Konten noch einmal an: Was fehlschlug oder nicht erledigt war, wird versucht, und was angekommen ist, bleibt, wie es ist.',
    notify: 'Mail an mich, wenn es fertig ist',
    yes: 'Noch einmal versuchen',
    no: 'Jetzt nicht',
  },
  rotateDialog: {
    title: 'Neue Links machen?',
    text: 'Beide alten Adressen gelten sofort für niemanden mehr. Sie kommen auf die neue.',
    yes: 'Neue Links machen',
    no: 'Diese behalten',
  },
}
