import { describe, expect, test } from 'vitest'
import { moodOf } from '../src/job/mood'
import { favicon, type Mood } from '../src/live/favicon'

const svg = (percent: number | null, mood: Mood): string => decodeURIComponent(favicon(percent, mood).replace('data:image/svg+xml,', ''))
/** Where the water begins, from the top of a picture of 32. */
const surface = (percent: number | null): number => Number(/M0 ([\d.]+)q/.exec(svg(percent, 'going'))?.[1])
const colour = (mood: Mood): string => /fill="(#\w+)"\/><circle/.exec(svg(50, mood))?.[1] ?? ''

describe('the mark in the tab', () => {
  test('is a picture that needs nothing from elsewhere', () => {
    expect(favicon(50, 'going')).toMatch(/^data:image\/svg\+xml,/)
    expect(favicon(50, 'going')).not.toMatch(/[#<>"]/) // else it would end there as an address
    expect(svg(50, 'going').replace('http://www.w3.org/2000/svg', '')).not.toContain('http')
  })

  test('fills with the percentage', () => {
    expect([0, 25, 50, 75, 100].map(surface)).toEqual([30, 23, 16, 9, 2])
  })

  test('holds a little before anything is known', () => {
    expect(surface(null)).toBeGreaterThan(surface(10))
    expect(surface(null)).toBeLessThan(surface(0))
  })

  test('tells how the job is: going, at rest, done, done in part, failed', () => {
    const moods = (['running', 'paused', 'completed', 'completed_with_errors', 'failed'] as const).map(moodOf)
    expect(moods).toEqual(['going', 'still', 'good', 'mixed', 'bad'])
    expect(new Set(['going', 'still', 'mixed', 'bad'].map((mood) => colour(mood as Mood))).size).toBe(4)
    expect(moods.filter((mood) => svg(100, mood).includes('stroke="#fff"'))).toEqual(['good']) // a tick
  })
})
