/** When the next request may go out to one CA: not while it is away, and no faster than it allows. */
