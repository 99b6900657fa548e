import { expect, test } from 'vitest'
import { portalApps } from '../../src/app/portal-apps.ts'
import { defaultChain, demoApps } from '../../src/config/default-chain.ts'
import { secrets } from './config-world.ts'

test('tiles say how each app learns who you are; one that both policies let alone signs in by itself', () => {
  const apps = [
    ...demoApps,
    { name: 'reports', prefix: '/reports/', host: 'reports' },
    { name: 'wiki', prefix: '/wiki/', host: 'wiki', isExempt: true },
  ]
  const chain = defaultChain({ publicUrl: 'http://localhost:8080', secrets, apps })
  expect(portalApps(chain).map(({ href, kind }) => [href, kind])).toEqual([
    ['/echo/', 'headers'],
    ['/notes/', 'oidc'],
    ['/reports/', 'headers'],
    ['/wiki/', 'own'],
  ])
})
