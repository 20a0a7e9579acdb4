/* The parent's side of the helper that decodes pictures. */
#ifndef BEZ_FORMAT_IMAGE_HELPER_H
#define BEZ_FORMAT_IMAGE_HELPER_H

#include "format/helper.h"
#include "format/image_wire.h"

/* Sends a file and takes the answer. pixels: bez_image_answer_bytes of the request. BEZ_OK with
 * reply->why set where the file cannot be decoded, be it that the helper died over it. Everything in the reply has been
 * checked. Errors: BEZ_UNSUPPORTED where there is no helper on this machine. */
BEZ_MUST_USE bez_status bez_image_helper_ask(bez_helper *helper, const bez_image_request *request, const uint8_t *bytes,
                                             bez_image_reply *reply, uint8_t *pixels, bez_error *err);

/* Brings numbers within their bounds: facts come from a helper or from a saved state. False: no picture is like that.
 */
BEZ_MUST_USE bool bez_image_facts_check(bez_image_facts *facts);

#endif
