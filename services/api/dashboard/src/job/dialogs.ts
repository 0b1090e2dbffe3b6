/** What is asked before something is done: loaded with the first question. */
export { default as Ask } from './Ask.svelte'
export { default as Limits } from './Limits.svelte'
export { default as Rotate } from './Rotate.svelte'
