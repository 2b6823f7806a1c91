import { exceptionSettings, inboundSettings } from './inbound-settings.ts';
import { milterSettings } from './milter-settings.ts';
import { serviceSettings } from './service-settings.ts';
import { settingTexts } from './setting.ts';
import type { Setting, SettingTexts } from './setting.ts';
import { refusalSettings, signingSettings } from './signing-settings.ts';
import { outboundSettings, submitterSettings } from './submitter-settings.ts';

/** Every setting of every service, by the section of the file it stands in. There is no other place. */
export const schema = {
  '': serviceSettings,
  milter: milterSettings,
  outbound: outboundSettings,
  submitters: submitterSettings,
  signing: signingSettings,
  'signing.onRefusal': refusalSettings,
  inbound: inboundSettings,
  'inbound.exceptions': exceptionSettings,
} as const;

export type Section = keyof typeof schema;

/** Every setting, in the order of the documentation. */
export function listSettings(): readonly Setting[] {
  return [...settingsByKey.values()].map(({ setting }) => setting);
}

/** A setting, and how its value is read. */
export interface KnownSetting {
  readonly setting: Setting;
  readonly form: SettingTexts['form'];
}

/** By section and name, also those that may not stand in the file. */
const settingsByKey: ReadonlyMap<string, KnownSetting> = new Map(
  Object.entries(schema).flatMap(([section, object]) =>
    Object.entries(object.shape).map(([name, field]): [string, KnownSetting] => {
      const key = keyIn(section, name);
      const texts = settingTexts.get(field);
      if (texts === undefined) throw new TypeError(`no documentation for the setting ${key}`);
      const { form, environmentOnly = false, ...setting } = texts;
      return [key, { form, setting: { ...setting, key: environmentOnly ? null : key } }];
    }),
  ),
);

/** The key of a setting of a section. */
export function keyIn(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`;
}

/** A setting by its key. */
export function known(key: string): KnownSetting {
  const found = settingsByKey.get(key);
  if (found === undefined) throw new TypeError(`no setting ${key}`);
  return found;
}
