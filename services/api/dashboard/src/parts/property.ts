/** Sets a property of CSS: `{@attach property('--level', '40%')}`. Smaller than `style:`, which brings a parser of CSS along. */
import type { Attachment } from 'svelte/attachments'

export const property =
  (name: string, value: string): Attachment<HTMLElement> =>
  (element) =>
    element.style.setProperty(name, value)
