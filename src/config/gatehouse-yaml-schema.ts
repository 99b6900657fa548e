import { z } from 'zod'

/** `false`: the part does not run here. Anything else is read by the part itself. */
const section = z.union([z.literal(false), z.record(z.string(), z.unknown())])

/**
 * `gatehouse.yaml`: one file for the whole chain. `publicUrl` alone is the default chain; what a section says is laid
 * over it, in the words of the program the part replaces.
 */
export const gatehouseYamlSchema = z.strictObject({
  publicUrl: z
    .string()
    .regex(/^https?:\/\/[^/?#\s]+$/, 'must be an origin such as `https://platform.example.com`')
    .describe('the origin browsers use, such as `https://platform.example.com`'),
  data: z.string().min(1).default('./.gatehouse').describe('the directory of the state, relative to this file'),
  realm: z
    .union([section, z.array(z.record(z.string(), z.unknown()))])
    .optional()
    .describe("a realm in Keycloak's representation, a list of them, or `from: realm.json`"),
  broker: section.optional().describe("Dex's `config.yaml`, or `from: config.yaml`"),
  proxy: section.optional().describe("oauth2-proxy's keys, or `from: oauth2_proxy.cfg`"),
  gateway: z
    .strictObject({
      files: z
        .array(z.string())
        .default([])
        .describe('Istio resources and MeshConfig; what is missing is the stock of Kubeflow'),
      mode: z
        .enum(['native', 'istio'])
        .default('native')
        .describe('`istio` decides as Istio does to the letter, holes included; see docs/ISTIO.md'),
    })
    .prefault({}),
  apps: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('names its route'),
        prefix: z
          .string()
          .regex(/^\/.*\/$/, 'must begin and end with `/`')
          .describe('its path, such as `/myapp/`'),
        host: z.string().min(1).describe('where it runs; `echo` and `notes` are the demo apps'),
        port: z.int().min(1).max(65_535).optional().describe('its port; 80 unless given'),
        exempt: z
          .boolean()
          .default(false)
          .describe('the app signs its users in itself, so both policies let its paths alone'),
        clientId: z.string().optional().describe('its client in the realm; its callback is `<prefix>callback`'),
        clientSecret: z.string().optional().describe('the secret of that client, as the app has it'),
        backchannelLogout: z
          .boolean()
          .default(false)
          .describe('the app takes OpenID Connect back-channel logout at `<prefix>backchannel-logout`'),
      }),
    )
    .default([]),
})

/** A `gatehouse.yaml`, its defaults filled in; sections in another program's words are not read yet. */
export type GatehouseYaml = z.output<typeof gatehouseYamlSchema>
