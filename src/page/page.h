/* page.h: pages of whatever runs, in one look: what others may include of page.
 *
 *     a document = its head + a table of parts      document.h
 *     a part     = a function that puts HTML        html.h, parts.h, chart.h
 *     what is new goes to open pages by a feed      feed.h
 *
 * The server hands a request to the owner's answer; that gives assets to page_answer_asset, its
 * event stream to page_feed_join, and writes documents by page_answer. The style sheet and the
 * script (style.css, page.js) are in the program. */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "chart.h"
#include "document.h"
#include "feed.h"
#include "html.h"
#include "parts.h"

#endif
