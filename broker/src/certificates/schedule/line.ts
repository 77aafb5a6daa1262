/** A line that may be left from any place at once: a doubly linked list. In V8 a Map that loses its first again and again is quadratic. */

/** Where something stands in its line. */
export class Place<T> {
  readonly item: T;
  ahead: Place<T> | undefined;
  behind: Place<T> | undefined;

  constructor(item: T) {
    this.item = item;
  }
}

export class Line<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  get first(): T | undefined {
    return this.#first?.item;
  }

  isEmpty(): boolean {
    return this.#first === undefined;
  }

  append(item: T): Place<T> {
    return this.#insert(new Place(item), this.#last, undefined);
  }

  /** @param ahead a place of this line; undefined: nobody, it becomes the first. */
  insertBehind(ahead: Place<T> | undefined, item: T): Place<T> {
    return this.#insert(new Place(item), ahead, ahead ? ahead.behind : this.#first);
  }

  /** @param place one of this line, which is not to be used again. */
  remove({ ahead, behind }: Place<T>): void {
    if (ahead) ahead.behind = behind;
    else this.#first = behind;
    if (behind) behind.ahead = ahead;
    else this.#last = ahead;
  }

  #insert(place: Place<T>, ahead: Place<T> | undefined, behind: Place<T> | undefined): Place<T> {
    place.ahead = ahead;
    place.behind = behind;
    if (ahead) ahead.behind = place;
    else this.#first = place;
    if (behind) behind.ahead = place;
    else this.#last = place;
    return place;
  }
}

/** How many stand before it. */
export function countAhead<T>(place: Place<T>): number {
  let count = 0;
  for (let other = place.ahead; other !== undefined; other = other.ahead) count++;
  return count;
}
