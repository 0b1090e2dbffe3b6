import type { BreakdownRow, JobState } from '../../api/types'
import type { ExternalTexts } from '../en/external'
import type { StateText } from '../en/job'

const states: Partial<Record<JobState, StateText>> = {
  queued: { title: 'Wartet auf seinen Agenten', text: 'Sein Agent hat noch nichts gemeldet.', next: 'Es beginnt mit der ersten Meldung.' },
  running: { title: 'Sein Agent arbeitet', text: 'Was er meldet, steht hier.', next: 'Sie können diese Seite schließen und wiederkommen, wann Sie möchten.' },
  paused: { title: 'Angehalten', text: 'Seinem Agenten wurde gesagt, dass er warten soll.', next: 'Nach dem Fortsetzen geht es weiter.' },
  stalled: { title: 'Keine Nachricht vom Agenten', text: 'Seit einer Minute wurde nichts gemeldet.', next: 'Es geht weiter, sobald der Agent wieder meldet.' },
  cancelling: { title: 'Wird beendet', text: 'Seinem Agenten wurde gesagt, dass er aufhören soll.', next: 'Es endet, wenn er das bestätigt oder eine Minute schweigt.' },
  completed: { title: 'Alles ist erledigt', text: 'Sein Agent hat alles übertragen.', next: 'Was er gemeldet hat, bleibt hier, bis sich diese Aufzeichnung selbst löscht.' },
  completed_with_errors: { title: 'Fertig, aber nicht ganz', text: 'Sein Agent konnte nicht alles übertragen.', next: 'Was er dazu sagte, steht unten.' },
  failed: { title: 'Es ging nicht weiter', text: 'Sein Agent hat aufgegeben, bevor alles erledigt war.', next: 'Was übertragen wurde, bleibt.' },
  cancelled: { title: 'Abgebrochen', text: 'Der Auftrag wurde beendet.', next: 'Was übertragen wurde, bleibt.' },
}

const rows: Record<BreakdownRow['state'], string> = { waiting: 'wartet', planned: 'gezählt', copying: 'in Arbeit', done: 'fertig', failed: 'fehlgeschlagen' }

export const external: ExternalTexts = {
  external: {
    states,
    entities: {
      title: 'Inhalt',
      name: 'Art',
      imported: 'Übertragen',
      skipped: 'Weggelassen',
      errored: 'Fehlgeschlagen',
      states: rows,
      none: 'Sein Agent hat nicht gesagt, was für Dinge er überträgt.',
    },
    failures: {
      lead: (n, anzahl) => `${n} ${anzahl === 1 ? 'Element wurde' : 'Elemente wurden'} nicht übertragen.`,
      said: 'Der Agent sagte',
    },
    cancelDialog: {
      title: 'Diesen Auftrag beenden?',
      text: 'Seinem Agenten wird gesagt, dass er aufhören soll. Was übertragen wurde, bleibt.',
      yes: 'Auftrag beenden',
      no: 'Weiterlaufen lassen',
    },
    deleteDialog: {
      title: 'Alles über diesen Auftrag löschen?',
      live: 'Seinem Agenten wird zuerst gesagt, dass er aufhören soll. ',
      text: 'Zahlen, Namen und diese Seite werden sofort gelöscht, und die Adresse gilt für niemanden mehr. Was übertragen wurde, bleibt.',
      yes: 'Alles löschen',
      no: 'Behalten',
    },
    names: { name: 'Namen von Elementen, und was der Agent sagte', why: 'um zu zeigen, was schiefging' },
  },
}
