// Line breaks that web pages leave in reviews.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// `text` with every <br> tag, in whatever spelling (<BR>, <br/>, <br />, </br>, <br clear="all">),
/// replaced by a space. Gives `text` itself when there is none, else a view of `buffer`.
std::string_view without_html_breaks(std::string_view text, std::string& buffer);

}  // namespace sluice
