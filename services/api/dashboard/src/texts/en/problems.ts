/** What the api would not do, by its codes. */
import type { FieldCode, ProblemCode } from '../../api/types'

/** A code that the api can send and a language does not say is an error of types. */
export interface ProblemTexts {
  problems: {
    codes: Record<ProblemCode, string>
    /** `limit` is the number that some are about. */
    fields: Record<FieldCode, (limit: string) => string>
    /** Of fields whose form can be told in a word. */
    malformed: Record<Formed, string>
    labels: Record<Labelled, string>
    inField: (label: string, text: string) => string
  }
}
export type Formed = 'host' | 'notify_email'
export type Labelled = 'host' | 'port' | 'username' | 'oauth' | 'notify_email' | 'since' | 'before' | 'max_item_bytes' | 'include' | 'exclude' | 'bandwidth_limit_mbps' | 'schedule' | 'timezone' | 'name' | 'project' | 'items_total' | 'entity_types'

const other = 'Mailtide could not do this.'
const notTaken = 'This is not taken here.'

export const problems: ProblemTexts = {
  problems: {
    codes: {
      invalid: 'Something in it can’t be taken as it is.',
      nothing_here: 'There is nothing here any more.',
      no_such_agent: 'There is no such agent any more.',
      no_such_project: 'There is no such project any more.',
      too_large: 'This is more than Mailtide takes at once. Choose fewer folders one by one.',
      no_operator: 'This Mailtide has no operator: its setting MAILTIDE_OPERATOR_TOKEN is empty.',
      operators_only: 'This needs the operator’s token.',
      job_ended: 'The migration has already ended, or is being stopped.',
      job_of_an_agent: 'A job of an agent can’t be tried again. Make a new one for the agent.',
      being_cancelled: 'It is being stopped. It can be tried again when it has stopped.',
      tried_too_often: 'This migration was tried again too often. Start a new one.',
      nothing_failed: 'Nothing has failed: there is nothing to try again.',
      nothing_failed_yet: 'It is still going on, and nothing has failed so far.',
      too_many_requests: 'That was a lot of requests. Try again in a moment.',
      unavailable: 'Mailtide can’t do this right now. Try again in a moment.',
      internal: 'Something went wrong inside Mailtide. Try again in a moment.',
      not_json: other,
      method_not_allowed: other,
      agents_only: other,
      other_content: other,
      other,
    },
    fields: {
      missing: () => 'Please fill this in.',
      too_long: (limit) => `Please give at most ${limit} characters.`,
      too_short: (limit) => (limit === '1' ? 'Please fill this in.' : `Please give at least ${limit} characters.`),
      too_many: (limit) => `These are too many. At most ${limit} are taken.`,
      too_few: (limit) => `Please give at least ${limit}.`,
      not_above: (limit) => `Please give a number above ${limit}.`,
      too_small: (limit) => `Please give at least ${limit}.`,
      too_great: (limit) => `Please give at most ${limit}.`,
      not_a_number: () => 'Please give a number.',
      not_a_whole_number: () => 'Please give a whole number.',
      not_a_date: () => 'Please give a date.',
      malformed: () => 'There are characters in it that can’t be taken here.',
      one_way_to_log_in: () => 'Please give either a password or an access token.',
      no_such_time_zone: () => 'Mailtide does not know this time zone. Choose another one.',
      never_open: () => 'With this schedule nothing would ever be copied. Leave some time open.',
      same_account: () => 'Source and destination are the same mailbox. Choose two different accounts.',
      other_account: () => 'This is another account. Give the one this migration began with.',
      account_needed: () => 'Give this account again: its credentials are no longer held.',
      cannot_mail: () => 'This Mailtide can’t send mail. Leave the address out.',
      only_owners_mailed: () => 'Mail is sent only to who has the link of their own. Leave the address out.',
      given_twice: () => 'The same is given twice.',
      unknown_field: () => notTaken,
      not_one_of: () => notTaken,
      other_content: () => notTaken,
      invalid: () => notTaken,
    },
    malformed: {
      host: 'A server name has no spaces, slashes or @. It often begins with “imap.”.',
      notify_email: 'This is no mail address, as you@example.org would be.',
    },
    labels: {
      host: 'IMAP server',
      port: 'Port',
      username: 'User name',
      oauth: 'Access token',
      notify_email: 'Mail me when it is done',
      since: 'From this day',
      before: 'Until this day',
      max_item_bytes: 'Largest message',
      include: 'Folders',
      exclude: 'Folders',
      bandwidth_limit_mbps: 'Bandwidth',
      schedule: 'Schedule',
      timezone: 'Time zone',
      name: 'Name',
      project: 'Project',
      items_total: 'Items in all',
      entity_types: 'Kinds of things',
    },
    inField: (label, text) => `${label}: ${text}`,
  },
}
