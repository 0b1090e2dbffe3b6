/** The foot of the page of a job. */
export const foot = {
  keep: {
    title: 'Keep this page',
    lead: 'Its address is the only way back to it. There is no account and no other list.',
    control: 'Ctrl',
    bookmark: (key: string) => `Press ${key} to bookmark it.`,
    bookmarkTouch: 'Use your browser’s menu to bookmark it, or share it to yourself.',
    own: 'Your link',
    ownHint: 'Whoever has it can also pause, cancel and delete.',
    view: 'Read-only link',
    viewHint: 'Safe to share: it only shows this page.',
    copy: 'Copy',
    copied: 'Copied',
    copyFailed: 'Select it and copy by hand',
    copyOwn: 'Copy your link',
    copyView: 'Copy the read-only link',
    share: 'Share…',
    qr: 'QR code',
    qrHide: 'Hide QR code',
    qrLabel: 'QR code of your link',
    qrLabelView: 'QR code of the read-only link',
    rotate: 'Make new links…',
  },
  holds: {
    title: 'What we still hold',
    credentials: { name: 'Credentials', why: 'to sign in to both accounts; encrypted' },
    addresses: { name: 'Addresses', why: 'to tell you when it is done' },
    names: { name: 'Folder names and server answers', why: 'to show what is where, and what went wrong' },
    results: { name: 'Results', why: 'to show what was copied and what was not' },
    until: (when: string) => `until ${when}`,
    untilEnd: 'until the migration ends',
    destroyed: 'destroyed',
    messages: { name: 'Your messages', why: 'never stored; they only pass through' },
    never: 'never held',
  },
}

export type FootTexts = typeof foot
