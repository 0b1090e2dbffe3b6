/** The keys that set a bookmark here; null: there are no keys, the finger finds the menu. Pure. */
export function bookmarkKey(platform: string, touch: boolean): string | null {
  if (touch) return null
  return /^(Mac|iP)/.test(platform) ? '⌘ D' : 'Ctrl + D'
}
