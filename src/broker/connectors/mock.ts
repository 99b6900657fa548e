import { z } from 'zod'
import type { Authentication, Connector, ConnectorDependencies } from './connector.ts'

/** `connectors[].config` of type `mockCallback`: none (dex connector/mock/connectortest.go). */
export const mockCallbackConfigSchema = z.strictObject({}).prefault({})

/** `connectors[].config` of type `mockPassword`. */
export const mockPasswordConfigSchema = z.strictObject({
  username: z.string('no username supplied').min(1, 'no username supplied'),
  password: z.string('no password supplied').min(1, 'no password supplied'),
})

/** Signs everyone in as Kilgore Trout, by a redirect straight back; for trying things out. */
export function openMockCallbackConnector(_config: unknown, { callbackUrl }: ConnectorDependencies): Connector {
  return {
    callback: {
      loginUrl: async ({ state }) => `${callbackUrl}?${new URLSearchParams({ state })}`,
      handleCallback: async () => ({ kind: 'authenticated', ...kilgoreTrout }),
    },
    refresh: { refresh: async () => ({ kind: 'authenticated', ...kilgoreTrout }) },
  }
}

/** Signs in whoever knows the configured name and password, as Kilgore Trout. */
export function openMockPasswordConnector({
  username,
  password,
}: z.output<typeof mockPasswordConfigSchema>): Connector {
  return {
    password: {
      prompt: 'Username',
      login: async (givenName, givenPassword) =>
        givenName === username && givenPassword === password
          ? { kind: 'authenticated', ...kilgoreTrout }
          : { kind: 'wrong-password' },
    },
    refresh: { refresh: async () => ({ kind: 'authenticated', ...kilgoreTrout }) },
  }
}

const kilgoreTrout: Authentication = {
  identity: {
    userId: '0-385-28089-0',
    username: 'Kilgore Trout',
    preferredUsername: '',
    email: 'kilgore@kilgore.trout',
    emailVerified: true,
    groups: ['authors'],
  },
  connectorData: 'foobar',
}
