/** The keys that set a bookmark here; null: there are no keys, the finger finds the menu. `control`: what that key is called. Pure. */
export function bookmarkKey(platform: string, touch: boolean, control: string): string | null {
  if (touch) return null
  return /^(Mac|iP)/.test(platform) ? '⌘ D' : `${control} + D`
}
