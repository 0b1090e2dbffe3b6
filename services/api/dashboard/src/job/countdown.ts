/** "4:05" until a moment, given in ISO 8601; null when it has passed. `now` in milliseconds since 1970. Pure. */
export function countdown(iso: string, now: number): string | null {
  const seconds = Math.ceil((Date.parse(iso) - now) / 1_000)
  if (!(seconds > 0)) return null
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
