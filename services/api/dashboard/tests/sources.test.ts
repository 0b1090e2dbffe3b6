import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const FROM = fileURLToPath(new URL('../src/', import.meta.url))
const files = readdirSync(FROM, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name))
const having = (pattern: RegExp): string[] => files.filter((name) => pattern.test(readFileSync(FROM + name, 'utf8')))

describe('the sources of the pages', () => {
  test('are found', () => {
    expect(having(/<script/).length).toBeGreaterThan(30)
  })

  test('make no elements out of texts', () => {
    expect(having(/\{@html\b|\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc)\b/)).toEqual([])
  })

  test('run nothing that was a text', () => {
    expect(having(/\beval\(|\bnew Function\(|\bjavascript:/)).toEqual([])
  })

  test('keep nothing in the browser', () => {
    expect(having(/\b(localStorage|sessionStorage|indexedDB|document\.cookie)\b/)).toEqual([])
  })
})
