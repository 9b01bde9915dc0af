import type { World } from '../world.ts'
import { findKind } from './kinds.ts'
import { html, type Markup } from './markup.ts'
import { WINDOW } from './page.ts'

/** A value as indented JSON; ids lead to their objects. */
export function jsonMarkup(world: World, value: unknown, indent = ''): Markup {
  if (typeof value === 'string') return textMarkup(world, value)
  if (typeof value !== 'object' || value === null) return html`${String(value)}`
  const inner = `${indent}  `
  const isList = Array.isArray(value)
  const items = isList
    ? value.map((item) => jsonMarkup(world, item, inner))
    : Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .map(([name, field]) => html`<b>${name}</b>: ${jsonMarkup(world, field, inner)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (items.length === 0) return html`${open}${close}`
  const lines = items.map((item, i) => html`\n${inner}${item}${i < items.length - 1 ? ',' : ''}`)
  return html`${open}${lines}\n${indent}${close}`
}

function textMarkup(world: World, text: string): Markup {
  const shown = JSON.stringify(text)
  return findKind(world, text) === undefined ? html`${shown}` : html`"${objectLink(text)}"`
}

export function objectLink(id: string): Markup {
  return html`<a href="${WINDOW}/object/${encodeURIComponent(id)}">${id}</a>`
}
