import { describe, expect, test } from 'vitest'
import { countdown } from '../src/job/countdown'
import { formats } from '../src/numbers/format'
import { left } from '../src/numbers/remaining'

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ')

describe('the time left', () => {
  test.each([
    [5, 59, null],
    [30, 90, { unit: 'minute', low: 1, high: 2 }],
    [130, 170, { unit: 'minute', low: 2, high: 3 }],
    [11 * 60, 22 * 60, { unit: 'minute', low: 10, high: 25 }],
    [70 * 60, 100 * 60, { unit: 'hour', low: 1, high: 2 }],
    [30 * 3600, 60 * 3600, { unit: 'day', low: 1, high: 3 }],
  ])('%i to %i seconds is rounded outwards', (low, high, expected) => {
    expect(left(low, high)).toEqual(expected)
  })
})

describe('numbers in the language of the browser', () => {
  const en = formats('en-GB', 'Mbps', 'UTC')
  const de = formats('de-DE', 'Mbit/s', 'UTC')

  test('a percentage is rounded down, so that 100 % means that nothing remains', () => {
    expect(en.percent(99.9)).toBe('99%')
    expect(plain(de.percent(100))).toBe('100 %')
  })

  test('a moment of another day has its date', () => {
    const now = Date.parse('2026-11-22T14:00:00Z')
    expect(plain(de.moment('2026-11-22T13:46:00Z', now))).toBe('13:46')
    expect(plain(de.moment('2026-11-19T13:46:00Z', now))).toBe('19.11.2026, 13:46')
  })

  test('sizes take the unit that suits them', () => {
    expect([0, 999, 1_000, 1_536_000, 412_000_000, 2.5e13].map(en.bytes).map(plain)).toEqual(['0 byte', '999 byte', '1 kB', '1.5 MB', '412 MB', '25 TB'])
    expect(plain(de.bytes(1_536_000))).toBe('1,5 MB')
  })

  test('speed is in megabits, and nothing is never “0.0 Mbps”', () => {
    expect(en.speed(1_562_500)).toBe('12.5 Mbps')
    expect(de.speed(1_562_500)).toBe('12,5 Mbit/s')
    expect([null, 0].map(en.speed)).toEqual(['–', '–'])
    expect(en.speed(10)).toBe('< 0.01 Mbps')
  })

  test('durations say the two largest units that count', () => {
    expect(en.duration(0.2)).toBe('1 sec')
    expect(en.duration(65)).toBe('1 min 5 secs')
    expect(en.duration(3 * 3600 + 59)).toBe('3 hrs')
    expect(plain(de.duration(26 * 3600))).toBe('1 Tg., 2 Std.')
  })

  test('the countdown ends', () => {
    const now = Date.parse('2026-11-22T12:00:00Z')
    expect(countdown('2026-11-22T12:04:05Z', now)).toBe('4:05')
    expect(countdown('2026-11-22T14:00:01Z', now)).toBe('2:00:01')
    expect(countdown('2026-11-22T12:00:00Z', now)).toBeNull()
  })

  test('the time left is a range', () => {
    expect(plain(en.remaining({ low: 130, high: 170 }, { soon: 'soon' }))).toBe('2–3 minutes')
    expect(plain(de.remaining({ low: 130, high: 170 }, { soon: 'gleich' }))).toBe('2–3 Minuten')
    expect(en.remaining({ low: 1, high: 2 }, { soon: 'soon' })).toBe('soon')
  })
})
