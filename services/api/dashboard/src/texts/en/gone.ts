/** Texts where there is no job, or none any more. */
export const gone = {
  gone: {
    title: 'Nothing here',
    text: 'There is no migration at this address. It was deleted, its time is over, or the address is not complete.',
    hint: 'Records of migrations erase themselves. If you copied the address from somewhere, see whether the end of it is missing.',
    start: 'Move a mailbox',
  },
}

export type GoneTexts = typeof gone
