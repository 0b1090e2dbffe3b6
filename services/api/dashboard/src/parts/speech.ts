/** The texts and formats of the person in front of the page. */
import { getContext } from 'svelte'
import type { Common, Speech } from '../texts'

/** `Own`: the parts of the texts that the component needs besides the common ones; who shows it has loaded them. */
export const words = <Own = object>(): Speech<Common & Own> => getContext('speech')
