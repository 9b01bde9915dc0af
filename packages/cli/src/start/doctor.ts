import { bold, dim, green, red } from '../output/style.ts'
import { fromService } from './service-package.ts'
import { localEnvironment } from './set-up.ts'

/** `lockstep doctor`: what is wrong with this set-up, and what to do about each. */
export async function doctor(): Promise<void> {
  const service = await fromService(() => import('@lockstep/service/doctor'))
  const findings = await service.doctor(localEnvironment(process.env))
  for (const { name, ok, detail, remedy } of findings) {
    console.log(`${ok ? green('✓') : red('✗')} ${bold(name)}  ${detail}`)
    if (remedy) console.log(`  ${dim(remedy)}`)
  }
  if (findings.some(({ ok }) => !ok)) process.exitCode = 1
}
