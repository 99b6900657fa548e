import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { ProviderChoice } from '../provider/open-providers.ts'
import type { ProxyConfig } from '../typed-config.ts'

/** What the sign-in page shows, settled when the proxy opens. */
export interface SignInLook {
  /** Whom one can sign in with; one button each. */
  readonly providers: readonly ProviderChoice[]
  /** Whether name and password are asked for. */
  readonly hasPasswordForm: boolean
  /** Source of an image. */
  readonly logo: string | undefined
  /** Trusted markup from the configuration. */
  readonly banner: string
  readonly footer: string
}

const imageTypes: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
}

/** Reads the look. A logo file that is not there is left out: Kubeflow's names one inside the original's image. */
export function signInLook(config: ProxyConfig, providers: readonly ProviderChoice[]): SignInLook {
  const shown = (text: string) => (text === '-' ? '' : text)
  return {
    providers,
    hasPasswordForm: config.htpasswd_file !== '' && config.display_htpasswd_form,
    logo: logoSource(shown(config.custom_sign_in_logo)),
    banner: shown(config.banner),
    footer: shown(config.footer),
  }
}

function logoSource(logo: string): string | undefined {
  if (logo === '' || logo.startsWith('https://')) return logo || undefined
  const type = imageTypes[extname(logo).toLowerCase()]
  if (type === undefined || !existsSync(logo)) return undefined
  return `data:${type};base64,${readFileSync(logo).toString('base64')}`
}
