import type { OperatorTexts } from '../en/operator'

export const operator: OperatorTexts = {
  projects: {
    none: 'Es gibt noch kein Projekt.',
    edit: 'Ändern',
    editOne: (name) => `${name} ändern`,
    name: 'Name des Projekts',
    nameHint: 'Umzüge, die ihn nennen und selbst keine Grenzen angeben, bekommen diese',
    keep: 'Diese Grenzen behalten',
    kept: (name) => `Behalten. Neue Umzüge von ${name} bekommen sie.`,
  },
}
