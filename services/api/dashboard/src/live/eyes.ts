/** Whether somebody looks at the page: a stream rests while nobody does. */

export interface Eyes {
  hidden(): boolean
  /** Calls back when the page is shown or hidden, or the network is back. Returns how to stop that. */
  onChange(callback: () => void): () => void
}

/** The eyes of the person in front of this page. */
export const tab: Eyes = {
  hidden: () => document.hidden,
  onChange(callback) {
    document.addEventListener('visibilitychange', callback)
    window.addEventListener('online', callback)
    window.addEventListener('pageshow', callback)
    return () => {
      document.removeEventListener('visibilitychange', callback)
      window.removeEventListener('online', callback)
      window.removeEventListener('pageshow', callback)
    }
  },
}
