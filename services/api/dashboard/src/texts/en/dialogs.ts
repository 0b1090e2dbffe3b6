/** What is asked before something is done. */
export const dialogs = {
  cancelDialog: {
    title: 'Stop this migration?',
    text: 'It stops for good after the message in hand. What has been copied stays at the destination, and a new migration later copies only what is missing.',
    yes: 'Stop the migration',
    no: 'Let it go on',
  },
  deleteDialog: {
    title: 'Delete everything about this migration?',
    live: 'It is stopped first. ',
    text: 'Credentials, numbers, folder names and this page are erased at once, and the address stops working for everybody. Mail that was copied stays at the destination.',
    yes: 'Delete everything',
    no: 'Keep it',
  },
  limitsDialog: {
    title: 'Limits while it runs',
    yes: 'Set the limits',
    no: 'Leave them',
  },
  retryDialog: {
    title: 'Try it again?',
    held: 'What failed or was not done is tried once more. What has arrived is left alone.',
    notHeld: 'The credentials were destroyed when the migration ended. Give both accounts again: what failed or was not done is tried once more, and what has arrived is left alone.',
    notify: 'Mail me when it is done',
    yes: 'Retry',
    no: 'Not now',
  },
  rotateDialog: {
    title: 'Make new links?',
    text: 'Both old addresses stop working for everybody, at once. You are taken to the new one.',
    yes: 'Make new links',
    no: 'Keep these',
  },
}

export type DialogTexts = typeof dialogs
