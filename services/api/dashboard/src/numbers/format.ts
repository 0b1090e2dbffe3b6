/** Numbers, sizes, speeds and times in the browser's language, by `Intl`. Pure. */
import { left } from './remaining'

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
const NONE = '–'

export interface Formats {
  number(value: number): string
  /** Whole percent, rounded down: 100 % is said only when nothing remains. */
  percent(value: number): string
  bytes(value: number): string
  /** Megabits a second; nothing was copied: a dash. */
  speed(bytesPerSecond: number | null): string
  /** The number alone, for the axis of the chart. */
  megabits(value: number): string
  dateTime(iso: string): string
  clock(iso: string): string
  /** The time of day, of another day with its date. */
  moment(iso: string, now: number): string
  /** With seconds, for what lasted only minutes. */
  seconds(iso: string): string
  duration(seconds: number): string
  /** `words.soon` when it is less than a minute. */
  remaining(range: { low: number; high: number }, words: { soon: string }): string
}

/** `locale` is the browser's; `speedUnit` is what the texts call megabits a second. */
export function formats(locale: string, speedUnit: string, timeZone?: string): Formats {
  const zone = timeZone === undefined ? {} : { timeZone }
  const number = new Intl.NumberFormat(locale)
  const short = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent' })
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', ...zone })
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'short', ...zone })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short', ...zone })
  const unit = (name: string, display: 'short' | 'long' = 'long'): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: display, maximumFractionDigits: 0 })
  const list = new Intl.ListFormat(locale, { type: 'unit', style: 'narrow' })

  const duration = (seconds: number): string => {
    const whole = Math.max(1, Math.round(seconds))
    const parts: [string, number][] = [
      ['day', Math.floor(whole / 86_400)],
      ['hour', Math.floor(whole / 3_600) % 24],
      ['minute', Math.floor(whole / 60) % 60],
      ['second', whole % 60],
    ]
    const first = parts.findIndex(([, value]) => value > 0)
    return list.format(parts.slice(first, first + 2).flatMap(([name, value]) => (value > 0 ? [unit(name, 'short').format(value)] : [])))
  }

  return {
    number: (value) => number.format(value),
    percent: (value) => percent.format(Math.floor(value) / 100),
    bytes(value) {
      const power = value < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(value) / 3))
      const shown = value / 1_000 ** power
      const options = { style: 'unit', unit: SIZES[power] ?? 'byte', unitDisplay: 'short' } as const
      return new Intl.NumberFormat(locale, { ...options, maximumFractionDigits: power === 0 || shown >= 100 ? 0 : 1 }).format(shown).replace(' ', '\u00a0')
    },
    speed(bytesPerSecond) {
      if (bytesPerSecond === null || bytesPerSecond <= 0) return NONE
      const megabits = (bytesPerSecond * 8) / 1e6
      return `${megabits < 0.01 ? `< ${number.format(0.01)}` : short.format(megabits)} ${speedUnit}`
    },
    megabits: (value) => short.format(value),
    dateTime: (iso) => dateTime.format(new Date(iso)),
    clock: (iso) => time.format(new Date(iso)),
    moment(iso, now) {
      const at = new Date(iso)
      return (day.format(at) === day.format(now) ? time : dateTime).format(at)
    },
    seconds: (iso) => new Intl.DateTimeFormat(locale, { timeStyle: 'medium', ...zone }).format(new Date(iso)),
    duration,
    remaining({ low, high }, words) {
      const range = left(low, high)
      if (range === null) return words.soon
      return range.low === range.high ? unit(range.unit).format(range.high) : unit(range.unit).formatRange(range.low, range.high)
    },
  }
}
