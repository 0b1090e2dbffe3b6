/** What the operator sets up: loaded when it is opened. */
export const operator = {
  projects: {
    none: 'There is no project yet.',
    edit: 'Change',
    editOne: (name: string) => `Change ${name}`,
    name: 'Name of the project',
    nameHint: 'Jobs that give this name, and no limits of their own, get these',
    keep: 'Keep these limits',
    kept: (name: string) => `Kept. New jobs of ${name} get them.`,
  },
}

export type OperatorTexts = typeof operator
