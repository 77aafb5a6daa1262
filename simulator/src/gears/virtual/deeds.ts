/** What each event of a scenario does to a world, and what ends it. */
import type { ScenarioEvent, Where } from '../../scenarios/scenario.ts';
import type { FlashImage } from '../../fleet/flash.ts';
import type { Lan } from '../../world/lan.ts';
import type { Box } from './box.ts';
import type { Picker } from './picker.ts';
import type { VirtualWorld } from './virtual-world.ts';

/** Ends what was begun; absent where nothing lasts. */
export type Undo = () => void;

export interface DeedParts {
  readonly world: VirtualWorld;
  readonly pick: Picker;
}

export function perform(event: ScenarioEvent, parts: DeedParts): Undo | undefined {
  const { world } = parts;
  switch (event.do) {
    case 'power-cut':
    case 'shelf':
      return darken(event.do, parts.pick.boxes(event.where));
    case 'reboot':
      return forAll(parts, event.where, (box) => void box.reboot());
    case 'factory-reset':
      return forAll(parts, event.where, (box) => box.isOn && void box.factoryReset());
    case 'move':
      return forAll(parts, event.where, (box) => box.isOn && box.move());
    case 'partition':
      return partition(world, parts.pick.sites(event.where));
    case 'flash-full':
    case 'flash-read-only':
      return breakFlash(event.do === 'flash-full' ? 'full' : 'read-only', parts.pick.boxes(event.where));
    case 'restore-image':
      return restoreLater(parts, event.where, event.age);
    case 'clone':
      return clone(world, parts.pick.boxes(event.where));
    case 'broker-stop':
      void world.vendor.stop();
      return () => void world.vendor.start();
    case 'broker-kill':
      world.vendor.kill();
      return () => void world.vendor.start();
    case 'authority-outage':
      return failAuthority(world, event);
    case 'authority-limits':
      world.authorities.at(event.ca).changeLimits(event.limits);
      return undefined;
    case 'profile-change':
      return changeProfile(world, event);
    case 'renew-all':
      return renewAll(world, event.over);
    case 'mass-revocation':
      world.authorities.at(event.ca).model.controls.announceRevocation({ noticeMs: event.notice });
      return undefined;
    case 'weather':
      return world.beginWeather(event.weather);
  }
}

function forAll({ pick }: DeedParts, where: Where, act: (box: Box) => unknown): undefined {
  for (const box of pick.boxes(where)) act(box);
}

function darken(why: string, chosen: readonly Box[]): Undo {
  const boxes = chosen.filter((box) => box.isOn);
  for (const box of boxes) box.cutPower(why);
  return () => {
    for (const box of boxes) void box.powerOn(`after ${why}`);
  };
}

function partition(world: VirtualWorld, sites: readonly Lan[]): Undo {
  for (const lan of sites) world.setReachable(lan, false);
  return () => {
    for (const lan of sites) world.setReachable(lan, true);
  };
}

function breakFlash(fault: 'full' | 'read-only', boxes: readonly Box[]): Undo {
  for (const { flash } of boxes) flash.breakDown(fault);
  return () => {
    for (const { flash } of boxes) flash.breakDown(undefined);
  };
}

/** The image is taken now, as a backup would be, and put back when it has the wanted age. */
function restoreLater({ world, pick }: DeedParts, where: Where, ageMs: number): undefined {
  const images = pick.boxes(where).map((box): readonly [Box, FlashImage] => [box, box.flash.image()]);
  world.clock.setTimer(ageMs, () => {
    for (const [box, image] of images) void box.restoreImage(image);
  });
}

function clone(world: VirtualWorld, boxes: readonly Box[]): Undo {
  const twins = boxes.filter((box) => box.isOn).map((box) => world.clone(box));
  for (const twin of twins) void twin.powerOn('clone');
  return () => {
    for (const twin of twins) twin.cutPower('clone found');
  };
}

/** As an operator's script does: one after the other, and what the broker does not answer is left out. */
function renewAll({ boxes, clock, vendor }: VirtualWorld, overMs: number): undefined {
  for (const [index, { deviceId }] of boxes.entries()) {
    clock.setTimer((overMs * index) / boxes.length, () => void vendor.broker?.renew(deviceId));
  }
}

function failAuthority(world: VirtualWorld, { ca, how }: Extract<ScenarioEvent, { do: 'authority-outage' }>): Undo {
  const { controls } = world.authorities.at(ca).model;
  const faults = {
    unreachable: { isUnreachable: true },
    error: { isFailing: true },
    'cut-answers': { cutShare: 0.5 },
    'wrong-certificates': { certificate: 'other-key' },
  } as const;
  const mended = {
    unreachable: { isUnreachable: false },
    error: { isFailing: false },
    'cut-answers': { cutShare: 0 },
    'wrong-certificates': { certificate: 'none' },
  } as const;
  controls.setFaults(faults[how]);
  world.excuses.authorityChanged(ca);
  return () => {
    // Another way to fail may have begun meanwhile, and goes on.
    controls.setFaults(mended[how]);
    world.excuses.authorityChanged(ca);
  };
}

function changeProfile(
  world: VirtualWorld,
  { ca, profile, life }: Extract<ScenarioEvent, { do: 'profile-change' }>,
): undefined {
  const { authorities, clock } = world;
  const authority = authorities.at(ca);
  if (profile !== undefined) authority.profile = profile;
  if (life === undefined) return;
  const change = { description: 'changed by the scenario', validityMs: life };
  authority.model.controls.changeProfile({ fromMs: clock.nowMs(), profile: authority.profile ?? 'classic', change });
}
