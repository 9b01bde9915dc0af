import { z } from 'zod'
import { defineRoute } from './define-route.ts'

const tags = ['Health']

export const readHealth = defineRoute({
  id: 'readHealth',
  method: 'GET',
  path: '/healthz',
  callers: 'public',
  summary: 'The process answers',
  tags,
  answers: { 200: z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' }) },
})

const readiness = z
  .strictObject({
    status: z.enum(['ready', 'notReady']),
    checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })),
  })
  .meta({ id: 'Readiness' })

export const readReadiness = defineRoute({
  id: 'readReadiness',
  method: 'GET',
  path: '/readyz',
  callers: 'public',
  summary: 'The process can do its work',
  tags,
  answers: { 200: readiness, 503: readiness },
})

export const readMetrics = defineRoute({
  id: 'readMetrics',
  method: 'GET',
  path: '/metrics',
  callers: 'public',
  summary: 'Figures for Prometheus',
  tags,
  produces: 'text/plain; version=0.0.4; charset=utf-8',
  answers: { 200: z.string() },
})
