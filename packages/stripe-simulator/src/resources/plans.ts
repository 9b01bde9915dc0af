import { missing } from '../errors.ts'
import { inRange, page, paging } from '../http/list.ts'
import { get, nothing } from '../http/route.ts'
import { bool, range, shape, text } from '../http/schema.ts'
import { renderPlan } from './prices.ts'

const URL = '/v1/plans'

/** Recurring prices as they were called before; they are made and changed as prices. https://docs.stripe.com/api/plans */
export const planRoutes = [
  get(`${URL}/:id`, nothing, ({ world, path }) => {
    const price = world.prices.get(path())
    if (price === undefined || price.recurring === null) throw missing('plan', path())
    return renderPlan(price)
  }),
  get(URL, shape({ ...paging, active: bool, created: range, product: text() }), ({ world, params }) =>
    page(world.prices, params, {
      url: URL,
      where: params.product === undefined ? null : { index: 'product', key: params.product },
      matches: (row) =>
        row.recurring !== null &&
        !row.own.inline &&
        (params.active === undefined || row.active === params.active) &&
        inRange(row.created, params.created),
      render: renderPlan,
    }),
  ),
]
