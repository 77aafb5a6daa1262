/** Orders that wait for their turn: by urgency, fair between zones, and a lane whose budget is short costs nothing. */
import { DueQueue } from '../due-queue.ts';
import { countAhead, Line } from './line.ts';
import type { Place } from './line.ts';

/** The most urgent first. */
export const PRIORITIES = ['expiring-soon', 'replacement', 'renewal', 'first', 're-enrolment'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface LaneName {
  readonly priority: Priority;
  readonly zone: string;
}

/** What the lane of an order waits for. */
export interface LaneOutlook<T> {
  /** Until when its lane rests, `Infinity` included; may have passed if nothing was taken since. */
  readonly restsUntilMs: number | undefined;
  readonly why: T | undefined;
}

interface Rest<T> {
  readonly untilMs: number;
  readonly why: T | undefined;
  /** The last of those that came back in this rest: they stand at the head in the order in which they went. */
  back: Place<string> | undefined;
}

interface Lane<T> {
  readonly name: LaneName;
  readonly line: Line<string>;
  /** Its place among the lanes that take turns; undefined while it rests. */
  turn: Place<Lane<T>> | undefined;
  rest: Rest<T> | undefined;
}

/** The lanes of one priority. None is empty. */
interface Class<T> {
  readonly byZone: Map<string, Lane<T>>;
  /** Those that do not rest; whose turn it is stands first. */
  readonly awake: Line<Lane<T>>;
}

interface Spot<T> {
  readonly lane: Lane<T>;
  readonly place: Place<string>;
}

/** `T`: the reason why a lane rests. */
export class Lanes<T> {
  readonly #classes: Readonly<Record<Priority, Class<T>>> = {
    'expiring-soon': emptyClass(),
    replacement: emptyClass(),
    renewal: emptyClass(),
    first: emptyClass(),
    're-enrolment': emptyClass(),
  };
  readonly #resting = new DueQueue<Lane<T>>();
  readonly #spots = new Map<string, Spot<T>>();

  get size(): number {
    return this.#spots.size;
  }

  has(id: string): boolean {
    return this.#spots.has(id);
  }

  /** To the end of its lane. One that is in this lane already keeps its place. */
  put(id: string, name: LaneName): void {
    const lane = this.#laneOf(name);
    if (this.#spots.get(id)?.lane === lane) return;
    this.delete(id);
    this.#spots.set(id, { lane, place: lane.line.append(id) });
  }

  /** Harmless when it is not there. */
  delete(id: string): void {
    const spot = this.#spots.get(id);
    if (spot === undefined) return;
    this.#spots.delete(id);
    const { lane, place } = spot;
    lane.line.remove(place);
    if (lane.rest?.back === place) lane.rest.back = place.ahead;
    if (lane.line.isEmpty()) this.#forget(lane);
  }

  /** Takes out the next of the most urgent lane that does not rest; lanes of one priority take turns. */
  take(nowMs: number): string | undefined {
    this.#wake(nowMs);
    const lane = this.#nextLane();
    const id = lane?.line.first;
    if (lane === undefined || id === undefined) return undefined;
    this.#leave(lane);
    this.#join(lane);
    this.delete(id);
    return id;
  }

  /**
   * Back to the head of its lane, which rests from now on; the others go on, as their budgets may be others. Of several
   * that were taken out together the first that comes back stays the first.
   * @param untilMs takes the place of an earlier or later one; may be `Infinity`. A lane that empties forgets its rest.
   */
  rest(id: string, name: LaneName, untilMs: number, why?: T): void {
    this.delete(id);
    const lane = this.#laneOf(name);
    const place = lane.line.insertBehind(lane.rest?.back, id);
    this.#spots.set(id, { lane, place });
    this.#leave(lane);
    lane.rest = { untilMs, why, back: place };
    this.#resting.set(lane, untilMs);
  }

  /** When something can be taken, `nowMs` at the earliest and `Infinity` at the latest; undefined when nothing waits. */
  nextMs(nowMs: number): number | undefined {
    this.#wake(nowMs);
    return this.#nextLane() ? nowMs : this.#resting.nextDueMs();
  }

  /** Undefined when it does not wait here. */
  outlook(id: string): LaneOutlook<T> | undefined {
    const spot = this.#spots.get(id);
    return spot && { restsUntilMs: spot.lane.rest?.untilMs, why: spot.lane.rest?.why };
  }

  /** How many go before it in its own lane. Walks along the lane: for people who ask, not for every order. */
  ahead(id: string): number | undefined {
    const spot = this.#spots.get(id);
    return spot && countAhead(spot.place);
  }

  #nextLane(): Lane<T> | undefined {
    for (const priority of PRIORITIES) {
      const lane = this.#classes[priority].awake.first;
      if (lane) return lane;
    }
    return undefined;
  }

  #wake(nowMs: number): void {
    for (let lane = this.#resting.takeDue(nowMs); lane; lane = this.#resting.takeDue(nowMs)) this.#join(lane);
  }

  #laneOf(name: LaneName): Lane<T> {
    const { byZone } = this.#classes[name.priority];
    const known = byZone.get(name.zone);
    if (known) return known;
    const lane: Lane<T> = { name, line: new Line(), turn: undefined, rest: undefined };
    this.#join(lane);
    byZone.set(name.zone, lane);
    return lane;
  }

  /** Its turn comes after all others. */
  #join(lane: Lane<T>): void {
    lane.turn = this.#classes[lane.name.priority].awake.append(lane);
    lane.rest = undefined;
  }

  /** Takes no turns any more, or is woken no more. */
  #leave(lane: Lane<T>): void {
    if (lane.turn) this.#classes[lane.name.priority].awake.remove(lane.turn);
    else this.#resting.delete(lane);
    lane.turn = undefined;
  }

  #forget(lane: Lane<T>): void {
    this.#leave(lane);
    this.#classes[lane.name.priority].byZone.delete(lane.name.zone);
  }
}

function emptyClass<T>(): Class<T> {
  return { byZone: new Map(), awake: new Line() };
}
