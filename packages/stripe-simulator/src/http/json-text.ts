import type { Json } from '../rows.ts'

/** What is rendered once for each of its states, and so can be written once, too. */
const STEADY = new Set<unknown>(['subscription', 'invoice', 'price'])

const texts = new WeakMap<object, string>()

/** The answer as text. An object is written once for each of its states, however often it is asked for. */
export function textOf(json: Json): string {
  const { object, data, ...rest } = json
  if (object !== 'list' || !Array.isArray(data)) return itemText(json)
  const items = (data as Json[]).map(itemText).join(',')
  return `{"object":"list","data":[${items}],${JSON.stringify(rest).slice(1)}`
}

function itemText(item: Json): string {
  if (!STEADY.has(item.object)) return JSON.stringify(item)
  let text = texts.get(item)
  if (text === undefined) {
    text = JSON.stringify(item)
    texts.set(item, text)
  }
  return text
}
