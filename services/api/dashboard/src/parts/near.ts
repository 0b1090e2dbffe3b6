/** Calls once, when the element is about to be seen: `{@attach near(() => …)}`. */
import type { Attachment } from 'svelte/attachments'

const BEFORE = '300px'

export const near =
  (come: () => void): Attachment<HTMLElement> =>
  (element) => {
    const observer = new IntersectionObserver(
      (seen) => {
        if (seen.some((each) => each.isIntersecting)) come()
      },
      { rootMargin: BEFORE },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }
